"""What every answer says to the browser about itself."""

import contextvars

import pytest

from portal.headers import HEADERS

# A page, a redirect, an error, a fragment's error, JSON, and a file.
ADDRESSES = [
    ("/login", {}, 200),
    ("/", {}, 302),
    ("/orders", {}, 302),
    ("/nothing", {}, 404),
    ("/nothing", {"HX-Request": "true"}, 404),
    ("/logout", {}, 405),
    ("/api/v1/orders/A1", {}, 401),
    ("/api/nothing", {}, 404),
    ("/static/portal.css", {}, 200),
    ("/static/nothing.css", {}, 404),
]
every_answer = pytest.mark.parametrize(("path", "headers", "status"), ADDRESSES)
once = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def ask(app, path, **request):
    """The answer to one request, which is led nowhere and finds nothing of the test's context."""
    client = app.test_client()
    return contextvars.Context().run(client.get, path, buffered=True, **request)


def directives(answer):
    policy = answer.headers["Content-Security-Policy"]
    words = [directive.split() for directive in policy.split(";")]
    return {name: values for name, *values in words}


@once
@every_answer
def test_every_answer_has_the_usual_headers(app, path, headers, status):
    answer = ask(app, path, headers=headers)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers.getlist(name) == [value]
    assert len(answer.headers.getlist("Content-Security-Policy")) == 1


@once
@every_answer
def test_every_answer_allows_nothing_but_what_is_ours(app, path, headers, status):
    allowed = directives(ask(app, path, headers=headers))
    assert allowed["default-src"] == ["'none'"]
    assert allowed["frame-ancestors"] == ["'none'"]
    assert allowed["base-uri"] == ["'none'"]
    assert allowed["style-src"] == ["'self'"]
    assert allowed["require-trusted-types-for"] == ["'script'"]
    ours, nonce = allowed["script-src"]
    assert ours == "'self'"
    assert nonce.startswith("'nonce-")
    everything = str(allowed)
    assert not any(word in everything for word in ("unsafe", "*", "http", "strict-dynamic"))


@once
def test_a_nonce_is_good_for_one_answer(app):
    first, second = (ask(app, "/login") for _ in range(2))
    nonces = [directives(answer)["script-src"][1][7:-1] for answer in (first, second)]
    assert nonces[0] != nonces[1]
    assert f'nonce="{nonces[0]}"' in first.text
    assert len(nonces[0]) >= 22  # 128 bits


@once
@every_answer
def test_no_copy_of_what_is_not_a_file_stays_behind(app, path, headers, status):
    answer = ask(app, path, headers=headers)
    is_file = path.startswith("/static/") and status == 200
    assert ("no-store" in answer.headers.get("Cache-Control", "")) is not is_file


def test_no_copy_of_an_order_stays_behind(signed_in, ada, order, license):
    page = f"/orders/A0005555555/licenses/{license.id}"
    bearer = {"Authorization": f"Bearer {ada.renew_token()}"}
    browser = signed_in(ada)
    for path in ("/orders", "/orders/A0005555555", page, f"{page}/resends/new"):
        assert browser.open(path).headers["Cache-Control"] == "no-store"
    answer = browser.open("/api/v1/orders/A0005555555", headers=bearer)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"


@once
@every_answer
def test_a_secure_answer_keeps_the_browser_to_https(app, path, headers, status):
    plain = ask(app, path, headers=headers)
    assert "Strict-Transport-Security" not in plain.headers
    secure = ask(app, path, headers=headers, base_url="https://localhost")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"


@once
@pytest.mark.settings(TRUSTED_PROXIES=1)
def test_behind_a_proxy_the_proxy_says_what_is_secure(app):
    def answer(*protocols):
        headers = {"X-Forwarded-Proto": ", ".join(protocols)} if protocols else {}
        return ask(app, "/login", headers=headers).headers

    assert "Strict-Transport-Security" in answer("https")
    assert "Strict-Transport-Security" not in answer("http")
    assert "Strict-Transport-Security" not in answer()
    # What came from before the proxy was said by anybody.
    assert "Strict-Transport-Security" not in answer("https", "http")


@once
def test_without_a_proxy_nobody_is_believed(app):
    headers = {"X-Forwarded-Proto": "https"}
    answer = ask(app, "/login", headers=headers)
    assert "Strict-Transport-Security" not in answer.headers
