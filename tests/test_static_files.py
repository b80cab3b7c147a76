"""Static files stay in the browser, and a changed one is fetched at once."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@on_sqlite
def test_an_address_with_the_digest_of_its_file_stays_in_the_browser(stranger):
    page = stranger.open("/login")
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.html)
    assert len(addresses) == 6
    for address in addresses:
        answer = _fetch(stranger, address)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Cookie" not in answer.headers.get("Vary", "")


@on_sqlite
@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef"])
def test_an_address_without_it_is_asked_again(stranger, query):
    answer = _fetch(stranger, f"/static/portal.css{query}")
    assert answer.status_code == 200
    assert "max-age" not in answer.headers.get("Cache-Control", "")


@on_sqlite
def test_a_file_that_is_not_there_is_not_found(stranger):
    assert _fetch(stranger, "/static/nothing.css").status_code == 404


def test_the_style_sheet_asks_for_pico_as_the_pages_do():
    digest = sha256((ROOT / "static/vendor/pico.min.css").read_bytes()).hexdigest()[:16]
    assert f'url("vendor/pico.min.css?v={digest}")' in (ROOT / "static/portal.css").read_text()


def _fetch(stranger, address):
    with stranger.client.get(address) as answer:
        return answer
