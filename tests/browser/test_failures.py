"""Whatever goes wrong inside a request of htmx, the page says something."""

import re

import pytest
from playwright.sync_api import expect

from portal.extensions import db
from tests.support.portal import PASSWORD

ORDER = "/orders/A0005555555"


@pytest.fixture
def question(at_desk, rob, order):
    """The page of an order with its question open."""
    page = at_desk(rob)
    page.goto(ORDER)
    page.get_by_role("button", name="Resend").click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    return page


def send(page):
    page.get_by_role("button", name="Send", exact=True).click()


@pytest.mark.parametrize(
    ("status", "words"), [(404, "There is nothing here"), (429, ""), (500, ""), (503, "")]
)
def test_an_error_is_shown_on_the_page_and_the_question_stays(question, app, window, status, words):
    from flask import abort

    app.view_functions["resends.create"] = lambda **_place: abort(status)
    send(question)
    expect(question.locator("#notice .notice")).to_contain_text(words)
    expect(question.locator("#notice .notice")).to_be_in_viewport()
    expect(question.get_by_role("button", name="Send", exact=True)).to_be_focused()
    window.complaints[:] = []  # the browser writes of each 5xx


def test_a_crash_is_shown(question, app, window):
    app.view_functions["resends.create"] = lambda **_place: 1 / 0
    send(question)
    expect(question.locator("#notice .notice")).to_contain_text("Something went wrong")
    window.complaints[:] = []


def test_a_request_that_is_too_large_is_shown(at_desk, rob, order, window):
    page = at_desk(rob)
    page.get_by_label("Search orders").evaluate(
        "box => { box.removeAttribute('maxlength'); box.value = 'x'.repeat(2_000_000) }"
    )
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#notice .notice")).to_be_visible()
    window.complaints[:] = []  # the server may hang up before it has read it all


def test_a_form_without_its_secret_is_shown(question):
    question.locator(".question [name=csrf_token]").evaluate("field => field.remove()")
    send(question)
    expect(question.locator("#notice .notice")).to_contain_text("Reload the page")


def test_a_session_that_has_ended_leads_to_the_sign_in_page(at_desk, rob, order):
    page = at_desk(rob)
    page.goto(ORDER)
    page.context.clear_cookies()
    page.get_by_role("button", name="Resend").click()
    expect(page).to_have_url(re.compile("/login"))


def sign_in_again(page):
    """In the tab that the notice on `page` opens."""
    with page.context.expect_page() as opened:
        page.locator("#notice").get_by_role("link", name="Sign in").click()
    other = opened.value
    other.get_by_label("Email").fill("rob@example.com")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other).to_have_url(re.compile("/orders$"))
    other.close()


def test_who_has_signed_out_elsewhere_signs_in_and_sends(question, mailbox):
    other = question.context.new_page()
    other.goto("/orders")
    other.get_by_role("button", name="Sign out").click()
    other.close()
    send(question)
    expect(question.locator("#notice")).to_contain_text("You are no longer signed in")
    expect(question.get_by_role("button", name="Send", exact=True)).to_be_focused()
    assert mailbox.empty
    sign_in_again(question)
    send(question)
    history = question.get_by_role("region", name="Order history")
    expect(history).to_contain_text("was sent to kim@example.com")
    assert len(mailbox.messages) == 1


def test_what_was_typed_outlives_the_session(at_desk, rob, order):
    page = at_desk(rob)
    page.clock.install()
    page.goto(ORDER)
    page.get_by_role("button", name="Replace").click()
    page.get_by_label("New license").fill("AB12-CD34-EF56")
    page.get_by_label("What is wrong with the former one").fill("Does not activate")
    page.clock.fast_forward("11:58:00")
    expect(page.locator("#notice")).to_be_empty()
    page.context.clear_cookies()
    page.clock.fast_forward("03:00")
    expect(page.locator("#notice")).to_contain_text("You may no longer be signed in.")
    page.get_by_role("button", name="Replace and send").click()
    expect(page.locator("#notice")).to_contain_text("so nothing was done")
    sign_in_again(page)
    page.get_by_role("button", name="Replace and send").click()
    expect(page.locator(".license pre").last).to_have_text("AB12-CD34-EF56")


def test_a_server_that_is_gone_is_shown(question, server, window):
    db.session.remove()
    server.stop()
    send(question)
    expect(question.locator("#notice .notice")).to_contain_text("No answer came")
    window.complaints[:] = []  # the browser and htmx both write of it


def test_a_time_out_is_shown(question, window):
    question.route("**/resends", lambda _route: None)  # never answered
    question.evaluate("htmx.config.defaultTimeout = 300")
    send(question)
    expect(question.locator("#notice .notice")).to_contain_text("No answer came")
    window.complaints[:] = []


@pytest.mark.parametrize("status", [200, 409, 422, 429, 502, 503])
def test_a_page_of_the_proxy_is_not_taken_for_an_answer(question, window, status):
    proxy = {"status": status, "content_type": "text/html", "body": "<h1>nginx/1.22.1</h1>"}
    question.route("**/resends", lambda route: route.fulfill(**proxy))
    send(question)
    expect(question.locator("#notice .notice")).to_contain_text("look at what has happened before")
    expect(question.locator("#announcement")).to_be_empty()
    expect(question.get_by_role("button", name="Send", exact=True)).to_be_focused()
    expect(question.locator(".license pre")).to_be_visible()
    expect(question.get_by_text("nginx")).to_have_count(0)

    question.goto("/orders")
    question.route("**/searches", lambda route: route.fulfill(**proxy))
    question.get_by_label("Search orders").fill("kim")
    question.get_by_role("button", name="Find").click()
    # Who reloads the page has to type it again, and a search changes nothing.
    expect(question.locator("#notice .notice")).to_have_text(
        "No answer came. Check the connection, and try again."
    )
    expect(question.locator("#results tbody tr")).to_have_count(1)
    window.complaints[:] = []  # the browser writes of each 4xx and 5xx


def test_without_scripts_the_page_says_what_is_missing(window):
    page = window(java_script_enabled=False)
    page.goto("/login")
    expect(page.get_by_text("needs JavaScript")).to_be_visible()
