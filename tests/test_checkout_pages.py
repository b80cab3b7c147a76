"""Checkout pages from the command line: bad input ends in one line and changes nothing."""

import pytest

from portal.cli.pages import pages
from portal.models import CheckoutPage


@pytest.fixture
def run(app):
    return lambda *arguments: app.test_cli_runner().invoke(pages, arguments)


def test_a_page_has_the_sender_it_was_added_with(run):
    assert run("add", "acme", "--title", "Acme", "--sender", "shop@acme.com").exit_code == 0
    assert CheckoutPage.by_code("acme").sender == "shop@acme.com"
    assert "mail from shop@acme.com" in run("list").output


def test_a_page_goes_back_to_the_default_sender(run, acme):
    run("set", "acme", "--sender", "shop@acme.com")
    assert run("set", "acme", "--sender", "").exit_code == 0
    assert CheckoutPage.by_code("acme").sender is None


@pytest.mark.parametrize(
    "bad",
    [
        ("--sender", "nobody"),
        ("--sender", "a@b.com\nBcc: eve@b.com"),
        ("--sender", "kïm@acme.com"),
        ("--title", " "),
        ("--title", "Acme\nBcc: eve@example.com"),
        ("--title", "x" * 201),
        (),
    ],
)
def test_bad_input_changes_nothing(run, acme, bad):
    before = (acme.title, acme.sender)
    answer = run("set", "acme", *bad)
    assert answer.exit_code == 2
    assert answer.stderr.splitlines()[-1].startswith("Error: ")
    assert (acme.title, acme.sender) == before
