"""A person resends a license, in a real browser."""

import pytest
from playwright.sync_api import expect

from portal.models import Delivery, OrderStatus
from tests.people import CODE, bring_in, item_document, order_document

ORDER = "/orders/A0005555555"


def button(page, name):
    return page.get_by_role("button", name=name, exact=name == "Send")


def test_from_a_part_of_an_email_to_the_entry_in_the_history(at_desk, rob, order, mailbox):
    page = at_desk(rob)
    page.get_by_label("Search orders").fill("kim@exam")
    button(page, "Find").click()
    page.wait_for_url(f"**{ORDER}")
    page.evaluate("window.samePage = true")
    button(page, "Resend").click()
    question = page.get_by_role("form", name="Send this license again?")
    expect(question).to_be_focused()
    expect(question).to_contain_text("kim@example.com")
    button(page, "Send").click()
    sentence = "The email containing license information was sent to kim@example.com"
    expect(page.get_by_role("region", name="Order history")).to_contain_text(sentence)
    expect(page.locator("#announcement")).to_have_text(sentence)
    expect(button(page, "Resend")).to_be_focused()
    assert page.evaluate("window.samePage")
    (mail,) = mailbox.messages
    assert CODE in mail.plain.splitlines()


def test_the_keyboard_alone_is_enough(at_desk, rob, order, mailbox):
    page = at_desk(rob)
    page.keyboard.press("/")
    page.keyboard.type("5555555")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ORDER}")
    for _step in range(20):
        page.keyboard.press("Tab")
        if "Resend" in page.evaluate("document.activeElement.textContent"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("form", name="Send this license again?")).to_be_focused()
    page.keyboard.press("Tab")
    expect(button(page, "Send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".outcome-sent")).to_be_visible()
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize("how", ["Escape", "Cancel"])
def test_a_question_is_taken_back(at_desk, rob, order, mailbox, how):
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Resend").click()
    expect(button(page, "Send")).to_be_visible()
    if how == "Escape":
        page.keyboard.press("Escape")
    else:
        button(page, "Cancel").click()
    expect(button(page, "Resend")).to_be_focused()
    assert mailbox.empty


def test_a_double_click_a_reload_and_going_back_send_once(at_desk, rob, order, mailbox):
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Resend").click()
    button(page, "Send").dblclick()
    expect(page.locator(".outcome-sent")).to_be_visible()
    page.reload()
    page.goto("/orders")
    page.go_back()
    expect(page.locator(".entry-email-sent")).to_have_count(1)
    assert len(mailbox.messages) == 1


def test_one_question_in_two_windows_sends_once(at_desk, rob, order, mailbox):
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Resend").click()
    token = page.locator("[name=token]").input_value()
    other = page.context.new_page()
    other.goto(ORDER)
    button(other, "Resend").click()
    other.locator("[name=token]").evaluate("(field, token) => { field.value = token }", token)
    button(page, "Send").click()
    expect(page.locator(".outcome-sent")).to_be_visible()
    button(other, "Send").click()
    expect(other.locator(".outcome-sent")).to_be_visible()
    assert len(mailbox.messages) == 1


def test_a_failure_says_why_and_gives_the_button_back(at_desk, rob, order, mail_server):
    mail_server(at="RCPT", answer="550 5.1.1 No such user")
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Resend").click()
    button(page, "Send").click()
    expect(page.locator(".outcome-failed")).to_contain_text("was not sent to kim@example.com")
    page.get_by_text("Answer of the mail server").click()
    expect(page.get_by_text("550 5.1.1 No such user")).to_be_visible()
    expect(button(page, "Resend")).to_be_visible()


def test_a_refusal_takes_the_place_of_the_question(at_desk, rob, order, app, mailbox):
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Resend").click()
    expect(button(page, "Send")).to_be_visible()
    order.status = OrderStatus.DELETED
    app.extensions["sqlalchemy"].session.commit()
    button(page, "Send").click()
    expect(page.locator(".resend .refusal")).to_contain_text("The order’s status is “deleted”")
    expect(page.locator("#announcement")).to_contain_text("The order’s status is “deleted”")
    expect(page.locator(".resend")).to_be_focused()
    assert mailbox.empty
    assert Delivery.query.count() == 0


@pytest.mark.parametrize(
    "code", [CODE, "one\r\n  two\r\nthree", "a\rb", "مفتاح-🔑-<b>&amp;", "x" * 10_000]
)
def test_a_license_is_copied_to_the_letter(at_desk, rob, acme, code):
    bring_in(order_document(codes=(code,)))
    page = at_desk(rob)
    page.goto(ORDER)
    name = "Copy license"
    button(page, name).click()
    expect(page.locator("#announcement")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == code


def test_an_order_of_500_items_and_2000_licenses_stays_usable(at_desk, rob, acme, mailbox):
    items = [
        item_document(str(ref), codes=tuple(f"CODE-{ref}-{n}" for n in range(4)))
        for ref in range(500)
    ]
    bring_in(order_document(items=items))
    page = at_desk(rob)
    page.goto(ORDER)
    last = button(page, "Resend").last
    last.click()
    button(page, "Send").click()
    expect(page.locator(".outcome-sent")).to_be_visible()
    assert len(mailbox.messages) == 1
