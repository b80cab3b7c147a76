"""A search that was asked for after the session had ended goes on once its person has signed in."""

import pytest

from tests.people import bring_in, order_document
from tests.support.portal import PASSWORD


@pytest.fixture(params=["for the portal", "for the browser"])
def ended(signed_in, rob, order, request):
    """The list of orders, in a browser whose session has ended."""
    browser = signed_in(rob)
    page = browser.open("/orders")
    if request.param == "for the portal":
        rob.fs_uniquifier = "ended"
    else:
        browser.client.delete_cookie("keydesk")
    return page


def find(page, typed):
    return page.fill("Search orders", typed).press("Find")


def sign_in(page, person):
    return page.fill("Email", person.email).fill("Password", PASSWORD).press("Sign in")


def kept_in(browser):
    with browser.client.session_transaction() as session:
        return session.get("search")


def test_a_license_goes_on_to_its_order(ended, rob, license):
    page = find(ended, license.text)
    assert page.address == "/login?next=/searches"
    assert "Sign in, and your search goes on." in page.text
    assert license.text.encode() not in kept_in(page._browser)
    page = sign_in(page, rob)
    assert page.address == "/orders/A0005555555"
    assert kept_in(page._browser) is None


def test_a_name_and_what_was_ticked_go_on_to_a_list(ended, rob):
    for number in range(1, 3):
        bring_in(order_document(f"A{number:010}"))
    ended.parts("[name=status][value=paid]")[0]._element.attrs["checked"] = ""
    page = sign_in(find(ended, "kim@"), rob)
    assert page.address == "/orders?q=kim@&status=paid"
    assert "3 orders" in page.text


def test_what_no_order_has_is_in_no_address(ended, rob):
    page = sign_in(find(ended, "ABCDE-FGHIJ-KLMNO"), rob)
    assert page.address.startswith("/orders?license=")
    assert "No order fits" in page.text


def test_whoever_signs_in_is_shown_what_is_theirs(ended, license, ida):
    page = sign_in(find(ended, license.text), ida)
    assert page.address.startswith("/orders?license=")
    assert "No order fits" in page.text


def test_a_text_that_no_cookie_holds_is_not_kept(ended, rob):
    page = find(ended, "kim " * 1_000)
    assert page.status == 403
    assert page.response.headers["HX-Retarget"] == "#notice"
    assert "so nothing was done" in page.text
    assert kept_in(page._browser) is None


def test_another_site_puts_nothing_into_the_box(stranger, rob, order):
    page = stranger.open("/searches", method="POST", data={"q": "5555555"})
    assert page.address == "/login"
    assert kept_in(stranger) is None


def test_a_search_goes_on_once(ended, rob):
    browser = sign_in(find(ended, "kim@"), rob)._browser
    assert browser.open("/searches").address == "/orders"


def test_what_was_kept_with_a_former_key_is_forgotten(ended, rob, app):
    page = find(ended, "kim@")
    with page._browser.client.session_transaction() as session:
        session["search"] = b"damaged"
    assert sign_in(page, rob).address == "/orders"


def test_a_page_from_before_one_signed_in_again_finds_as_well(signed_in, rob, license):
    browser = signed_in(rob)
    page = browser.open("/orders")
    browser.open("/orders").press("Sign out")
    browser.sign_in(rob.email)
    assert find(page, license.text).address == "/orders/A0005555555"
    assert kept_in(browser) is None
