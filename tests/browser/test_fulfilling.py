"""A page that tells by itself what comes of an item, and what a person does about it."""

from contextlib import contextmanager
from threading import Thread

import pytest
from playwright.sync_api import expect

from portal import jobs
from portal.extensions import db
from portal.fulfilment.answer import Failure, Trouble, Waits
from portal.models import Delivery, Fulfilment, Tool
from tests.people import bring_in, item_document, order_document
from tests.test_fulfilment import set_tool

ORDER = "/orders/A0005555555"
SENT = "The email containing license information was sent to kim@example.com"
INFORMED = "The email about Sentinel Antivirus, 1 year was sent to kim@example.com"


def button(page, name):
    return page.get_by_role("button", name=name)


@pytest.fixture
def fulfilments(acme):
    """Those of an order with two items, neither of which has its license."""
    items = [
        item_document("1", codes=()),
        item_document("2", codes=(), product={"id": "2002", "name": "Sentinel VPN"}),
    ]
    begun = Fulfilment.begin(bring_in(order_document(items=items)))
    for fulfilment in begun:
        set_tool(fulfilment, Tool.INFORMATION)
        fulfilment.take(Trouble(Failure.ANSWER_UNUSABLE, "HTTP 200: empty", is_temporary=False))
    db.session.commit()
    return [fulfilment.id for fulfilment in begun]


@contextmanager
def counted(page, part):
    """The addresses with `part` in them that the page asks for inside the block."""
    found = []

    def note(request):
        if part in request.url:
            found.append(request.url)

    page.on("request", note)
    yield found
    page.remove_listener("request", note)


def work(app, job, thing_id):
    """Do what the worker does, as another process would."""

    def inside():
        with app.app_context():
            job(thing_id)

    db.session.rollback()
    worker = Thread(target=inside)
    worker.start()
    worker.join()


def test_try_now_and_the_page_tells_what_comes_of_it(at_desk, app, rob, fulfilments, mailbox):
    page = at_desk(rob)
    page.goto(ORDER)
    page.evaluate("window.samePage = true")
    expect(page.get_by_text("Failed for good, tried once")).to_have_count(2)
    button(page, "Try now").first.click()
    expect(page.get_by_text("about to be obtained").first).to_be_visible()
    expect(page.locator(".standing").first).to_be_focused()

    work(app, jobs.fulfil, fulfilments[0])
    expect(page.get_by_text("The information goes by e-mail")).to_be_visible()
    expect(page.get_by_role("region", name="Order history")).to_contain_text(INFORMED)
    expect(page.locator("#announcement")).to_have_text(INFORMED)
    expect(page.locator(".standing").first).to_be_focused()
    expect(page.locator("#progress[hx-get]")).to_have_count(0)
    expect(page.locator("#order-status")).to_contain_text("Not delivered")
    with counted(page, "/progress") as asked:
        page.wait_for_timeout(4500)  # as long as two looks take that must not come
    assert asked == []
    assert page.evaluate("window.samePage")


def test_nothing_is_taken_from_under_a_person_who_is_asked(at_desk, app, rob, fulfilments):
    bring_in(order_document("A0005555555", items=[item_document("3")]))
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Try now").first.click()
    expect(page.locator("#progress[hx-get]")).to_have_count(1)
    button(page, "Replace").click()
    page.get_by_label("New license").fill("typed so far")
    work(app, jobs.fulfil, fulfilments[0])
    with counted(page, "/progress") as asked:
        page.wait_for_timeout(4500)  # as long as two looks would take
    assert asked == []
    expect(page.get_by_label("New license")).to_have_value("typed so far")
    expect(page.get_by_label("New license")).to_be_focused()

    button(page, "Cancel").click()
    expect(page.get_by_text("The information goes by e-mail")).to_be_visible()


def test_what_a_person_has_opened_stays_open(at_desk, app, rob, fulfilments):
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Try now").first.click()
    expect(page.locator("#progress[hx-get]")).to_have_count(1)
    answer = page.locator(".history details").last
    answer.locator("summary").click()
    work(app, jobs.fulfil, fulfilments[0])
    expect(page.get_by_text("The information goes by e-mail")).to_be_visible()
    expect(page.locator(".history details[open]")).to_have_count(1)
    expect(page.locator(".history details").last.locator("summary")).to_be_focused()
    expect(answer).to_have_attribute("open", "")


def test_a_portal_that_is_gone_is_not_complained_of_every_two_seconds(
    at_desk, server, rob, fulfilments, window
):
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Try now").first.click()
    expect(page.locator("#progress[hx-get]")).to_have_count(1)
    server.stop()
    with page.expect_event("requestfailed"):
        pass
    assert page.locator("#notice").inner_text() == ""
    page.close()
    # What the browser and htmx say of it in the console, where nobody is disturbed.
    said = ("Failed to fetch", "Failed to load resource: net::ERR_CONN")
    window.complaints[:] = [c for c in window.complaints if not any(s in c for s in said)]


def test_a_resend_that_was_put_off_is_stopped(at_desk, rob, order, mail_server):
    mail_server(at="RCPT", answer="451 4.7.1 Greylisted")
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Resend").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#announcement")).to_contain_text("will be tried again at")
    expect(page.locator(".license .outcome")).to_contain_text("will be tried again at")
    button(page, "Stop").click()
    expect(page.locator("#announcement")).to_contain_text("was stopped")
    expect(page.locator(".license .outcome")).to_be_focused()
    expect(button(page, "Stop")).to_have_count(0)
    assert Delivery.query.one().due_at is None


def test_a_license_is_entered_and_arrives(at_desk, app, rob, fulfilments, mailbox):
    first = db.session.get(Fulfilment, fulfilments[0])
    first.product.tool = Tool.LICENSE_REQUEST
    first.take(Waits(Failure.LICENSE_AWAITED))
    page = at_desk(rob)
    page.get_by_role("link", name="Needs a license").click()
    page.get_by_role("link", name="A0005555555").click()
    button(page, "Enter the license").click()
    field = page.get_by_label("License", exact=True)
    expect(field).to_be_focused()
    field.fill(" ")
    button(page, "Save and send").click()
    expect(page.get_by_text("Enter the license.", exact=True)).to_be_visible()
    expect(field).to_be_focused()
    field.fill("NEW-1\n  two")
    button(page, "Save and send").click()
    expect(page.locator(".license pre")).to_have_text("NEW-1\n  two")
    expect(page.locator("#announcement")).to_contain_text("was received and saved")
    expect(page.locator(".item").first).to_be_focused()

    work(app, jobs.send, Delivery.query.one().id)
    expect(page.get_by_role("region", name="Order history")).to_contain_text(SENT)
    (mail,) = mailbox.messages
    assert "NEW-1\n  two" in mail.plain.replace("\r\n", "\n")


def test_escape_takes_a_question_back_that_holds_no_text(at_desk, rob, order):
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Replace").click()
    expect(page.get_by_label("New license")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("New license")).to_have_count(0)
    expect(button(page, "Replace")).to_be_focused()

    button(page, "Replace").click()
    page.get_by_label("What is wrong with the former one").fill("Does not activate")
    button(page, "Replace and send").focus()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("Escape")
    button(page, "Cancel").click()
    expect(page.get_by_label("New license")).to_have_count(0)
    assert len(asked) == 1


def test_a_license_is_replaced_with_the_keyboard(at_desk, rob, order):
    page = at_desk(rob)
    page.goto(ORDER)
    button(page, "Replace").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("New license")).to_be_focused()
    page.keyboard.type("NEW-1")
    page.keyboard.press("Tab")
    page.keyboard.type("Does not activate")
    page.keyboard.press("Enter")
    expect(page.locator(".license pre")).to_have_text("NEW-1")
    expect(page.locator(".license del")).to_have_count(1)
    expect(page.locator(".item")).to_be_focused()
