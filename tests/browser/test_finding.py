"""Finding orders in a real browser: in place, with the address bar following."""

import re

from playwright.sync_api import expect

from tests.people import bring_in, order_document


def bring_in_many(count):
    for number in range(1, count + 1):
        bring_in(order_document(f"A{number:010}"))


def test_results_change_in_place_and_the_back_button_leads_back(at_desk, rob, acme):
    bring_in_many(3)
    bring_in(order_document("A0000000009", customer={"email": "zoe@example.com"}))
    page = at_desk(rob)
    page.evaluate("window.samePage = true")
    page.get_by_label("Search orders").fill("kim@")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page).to_have_url(re.compile(r"/orders\?q=kim"))
    expect(page.get_by_label("Search orders")).to_be_focused()
    expect(page.locator("#announcement")).to_have_text("3 orders")
    assert page.evaluate("window.samePage")
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(4)
    expect(page).to_have_url(re.compile(r"/orders$"))


def test_what_is_typed_after_a_search_is_the_next_one(at_desk, rob, acme):
    bring_in_many(2)
    page = at_desk(rob)
    page.get_by_label("Search orders").fill("kim@")
    page.keyboard.press("Enter")
    expect(page.locator("#announcement")).to_have_text("2 orders")
    page.keyboard.type("zoe")
    expect(page.get_by_label("Search orders")).to_have_value("zoe")


def test_what_may_be_a_license_is_in_the_box_and_not_in_the_address(at_desk, rob, order):
    page = at_desk(rob)
    page.get_by_label("Search orders").fill("ABCDE-FGHIJ-KLMNO")
    page.keyboard.press("Enter")
    expect(page.locator("#results").get_by_text("No order fits")).to_be_visible()
    expect(page.locator("#announcement")).to_contain_text("No order fits")
    expect(page).to_have_url(re.compile(r"/orders\?license=[0-9a-f]{32}$"))
    expect(page.get_by_label("Search orders")).to_have_value("ABCDE-FGHIJ-KLMNO")


def test_pages_follow_one_another_and_take_the_focus_along(at_desk, rob, acme):
    bring_in_many(51)
    page = at_desk(rob)
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("after="))
    expect(page.locator("#results")).to_be_focused()
    page.get_by_role("link", name="Newer").click()
    expect(page.locator("tbody tr")).to_have_count(50)


def test_a_slash_leads_to_the_search_box_from_everywhere(at_desk, rob, order):
    page = at_desk(rob)
    page.keyboard.press("/")
    expect(page.get_by_label("Search orders")).to_be_focused()
    page.goto("/orders/A0005555555")
    page.keyboard.press("/")
    expect(page.get_by_label("Search orders")).to_be_focused()


def test_a_filter_that_was_not_understood_is_marked(at_desk, rob, order):
    page = at_desk(rob)
    page.get_by_text("Filters").click()
    page.get_by_label("Created from").fill("2026-02-02")
    page.get_by_label("Created to").fill("2026-01-01")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#results [role=alert]")).to_be_visible()
    expect(page.get_by_label("Created to")).to_have_attribute("aria-invalid", "true")
    complaint = page.locator("#filters").get_by_text("This day is before")
    expect(complaint).to_have_css("color", "rgb(179, 38, 30)")  # not the grey of what explains


def test_what_is_reached_with_the_keyboard_is_seen_to_be(at_desk, rob, order):
    page = at_desk(rob)
    page.goto("/orders/A0005555555")
    page.keyboard.press("Tab")
    for name in ("Skip to the content", "Keydesk", "Orders"):
        shown = "getComputedStyle(document.activeElement)"
        assert page.evaluate("document.activeElement.textContent.trim()") == name
        assert page.evaluate(f"{shown}.outlineStyle + {shown}.outlineWidth") == "solid2px"
        page.keyboard.press("Tab")
