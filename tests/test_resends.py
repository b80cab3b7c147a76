"""Sending a license again, from the button to the history, as a person does it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy.orm import Session

from portal import clock
from portal.extensions import db
from portal.models import Delivery, DeliveryStatus, Item, Order
from tests.people import add_staff, bring_in, item_document, order_document
from tests.support.application import statements
from tests.support.portal import PlainBrowser
from tests.test_license import REFUSALS

ADDRESS = "/orders/A0005555555"


@pytest.fixture
def page(signed_in, rob, order):
    """The page of the ordinary order, as Rob sees it."""
    return signed_in(rob).open(ADDRESS)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_waits_while_the_answer_is_drawn(app, page, mailbox):
    question = page.press("Resend")
    with statements(app) as ran:
        assert question.press("Send").status == 200
    assert [one for one in ran if one.startswith("BEGIN")][-1] == "BEGIN DEFERRED"


def fields(question):
    return {
        field.attributes["name"]: field.attributes["value"]
        for field in question.parts("input[type=hidden]")
    }


def action(question):
    return question.parts("form")[0].attributes["action"]


def send_at_once(app, browsers, question, **entered):
    """The statuses of the answers when every one of `browsers` sends `question` at one moment, with
    what was `entered`."""
    ready = Barrier(len(browsers))

    def send(browser):
        ready.wait()
        data = fields(question) | entered
        return browser.client.post(action(question), data=data).status_code

    db.session.rollback()
    with ThreadPoolExecutor(len(browsers)) as threads:
        return list(threads.map(send, browsers))


def copy_of(browser, app):
    """Another window of the same browser: the same cookies."""
    other = PlainBrowser(app)
    cookie = browser.client.get_cookie("keydesk")
    other.client.set_cookie("keydesk", cookie.value)
    return other


def test_resending_a_license(signed_in, rob, order, mailbox):
    page = signed_in(rob).open("/orders/A0005555555")
    question = page.press("Resend")
    assert "kim@example.com" in question.text
    assert mailbox.empty

    answer = question.press("Send")
    assert "was sent to kim@example.com" in answer.part("order-history").text
    assert len(mailbox.messages) == 1


def test_the_question_names_what_will_happen(page):
    question = page.press("Resend")
    for said in ["Sentinel Antivirus, 1 year", "kim@example.com", "English", "never"]:
        assert said in question.text
    assert question.names == ["Send", "Cancel"]


def test_the_question_does_not_call_a_lost_delivery_one_that_is_under_way(page, license, rob):
    lost = license.resend(by=rob, token="t" * 20)
    lost.due_at = clock.now()
    question = page.press("Resend")
    assert "may have been sent" in question.text
    assert "is being sent" not in question.text


def test_the_question_tells_the_last_that_was_sent_from_the_last_try(page, license, rob):
    assert "Last sent never by Keydesk" in page.press("Resend").text
    went = license.resend(by=None, token="1" * 24)
    db.session.commit()
    went.finish(DeliveryStatus.SENT)
    db.session.commit()
    question = page.press("Resend").text
    assert "to kim@example.com" in question.split("Last sent")[1]
    assert "Last try" not in question
    failed = license.resend(by=rob, token="2" * 24)
    db.session.commit()
    failed.finish(DeliveryStatus.FAILED, failure="address_refused")
    db.session.commit()
    sent, tried = page.press("Resend").text.split("Last sent")[1].split("Last try")
    assert "rob@example.com" not in sent
    assert "by rob@example.com was not sent" in tried


def test_what_was_confirmed_for_one_address_goes_to_no_other(page, order, mailbox):
    question = page.press("Resend")
    order.email, order.first_name = "kim@new.example", "Kimberly"
    db.session.commit()
    answer = question.press("Send")
    assert answer.status == 409
    assert mailbox.empty
    assert "another address by now" in answer.part("notice").text
    assert "kim@new.example" in answer.part("customer").text
    assert "Kimberly" in answer.part("customer").text
    question = page.press("Resend")
    assert "kim@new.example" in question.text
    question.press("Send")
    assert [mail["To"] for mail in mailbox.messages] == ["kim@new.example"]


def test_a_cancelled_question_is_the_button_again(page):
    button = page.press("Resend").press("Cancel")
    assert button.names == [
        "Copy license for Sentinel Antivirus, 1 year",
        "Resend license for Sentinel Antivirus, 1 year",
        "Replace license for Sentinel Antivirus, 1 year",
    ]


def test_the_answer_redraws_the_license_and_the_history(page):
    answer = page.press("Resend").press("Send")
    assert "Resend license" in " ".join(answer.names)
    first = answer.part("order-history").parts("li")[0].text
    assert first.startswith("The email containing license information was sent to kim@example.com")
    assert "rob@example.com" in first
    assert "was sent to kim@example.com" in answer.part("announcement").text


def test_what_the_answer_shows_is_what_the_page_shows_when_opened_anew(page, signed_in, rob):
    answer = page.press("Resend").press("Send")
    anew = signed_in(rob).open(ADDRESS)
    assert anew.part("order-history").text == answer.part("order-history").text


def test_a_failure_is_in_the_history_with_the_reason_and_the_answer(page, mail_server):
    mail_server(at="RCPT", answer="550 5.1.1 No such user")
    answer = page.press("Resend").press("Send")
    history = answer.part("order-history").text
    assert "was not sent to kim@example.com" in history
    assert "The mail server refused the address. Check it with the customer." in history
    assert "550 5.1.1 No such user" in history
    assert "Resend license" in " ".join(answer.names)


def test_what_nobody_can_know_is_said(page, mail_server):
    mail_server(at="BODY", does="drop")
    answer = page.press("Resend").press("Send")
    assert "may have been sent to kim@example.com" in answer.part("order-history").text


@pytest.mark.parametrize(("change", "word", "reason", "advice"), REFUSALS)
def test_a_refusal_reaches_the_page_and_nothing_is_sent(
    page, signed_in, rob, order, mailbox, change, word, reason, advice
):
    question = page.press("Resend")
    change(order.items[0].licenses[0])
    answer = question.press("Send")
    anew = signed_in(rob).open(ADDRESS)

    assert answer.status == 409
    assert page.press("Resend").status == 409
    for seen in (answer, anew, page.press("Resend")):
        assert reason in seen.text
        assert advice in seen.text
        assert not [name for name in seen.names if name.startswith(("Resend", "Send"))]
    assert reason in answer.part("announcement").text
    assert mailbox.empty
    assert db.session.scalars(db.select(Delivery)).all() == []


def test_an_item_without_licenses_has_no_button_and_says_so(signed_in, rob, acme):
    bring_in(order_document(codes=()))
    page = signed_in(rob).open(ADDRESS)
    assert "No license has been saved for this item." in page.text
    assert not [name for name in page.names if name.startswith("Resend")]


def test_every_license_has_its_own_button(signed_in, rob, acme, mailbox):
    bring_in(order_document(codes=["FIRST-1", "SECOND-2", "THIRD-3"]))
    page = signed_in(rob).open(ADDRESS)
    assert len([name for name in page.names if name.startswith("Resend")]) == 3

    page.press("Resend license 2 of 3").press("Send")
    (mail,) = mailbox.messages
    assert "SECOND-2" in mail.plain
    assert "FIRST-1" not in mail.plain


@pytest.mark.parametrize("windows", [2, 6])
def test_a_double_click_sends_once(app, page, mailbox, windows):
    question = page.press("Resend")
    browsers = [copy_of(page._browser, app) for _window in range(windows)]
    assert send_at_once(app, browsers, question) == [200] * windows
    assert len(mailbox.messages) == 1
    assert db.session.scalar(db.select(db.func.count(Delivery.id))) == 1


def test_a_reload_sends_nothing_and_shows_what_came_of_it(page, mailbox):
    question = page.press("Resend")
    question.press("Send")
    again = question.press("Send")
    assert again.status == 200
    assert "was sent to kim@example.com" in again.part("announcement").text
    assert len(mailbox.messages) == 1
    assert len(again.part("order-history").parts("li")) == 1


def test_a_reload_after_a_refund_still_shows_what_came_of_it(page, order, mailbox):
    question = page.press("Resend")
    question.press("Send")
    order.items[0].refunded_at = clock.now()
    again = question.press("Send")
    assert (again.status, len(mailbox.messages)) == (200, 1)
    assert "was refunded" in again.text


def test_a_token_is_good_for_its_license_alone(signed_in, rob, acme, mailbox):
    bring_in(order_document(items=[item_document("1"), item_document("2", codes=["OTHER-2"])]))
    page = signed_in(rob).open(ADDRESS)
    first, second = [
        part.attributes["id"].removeprefix("resend-") for part in page.parts(".resend")
    ]
    question = page.part(f"license-{first}").press("Resend")
    question.press("Send")

    other = action(question).replace(f"/{first}/", f"/{second}/")
    answer = page._browser.client.post(other, data=fields(question))
    assert answer.status_code == 400
    assert len(mailbox.messages) == 1


def test_two_people_who_confirm_send_two_and_the_second_sees_the_first(
    page, signed_in, acme, mailbox
):
    page.press("Resend").press("Send")
    sue = add_staff("sue@example.com", "agent", acme)
    question = signed_in(sue).open(ADDRESS).press("Resend")
    assert "kim@example.com" in question.text
    assert "rob@example.com" in question.text
    assert "sent" in question.text

    question.press("Send")
    first, second = mailbox.messages
    assert first["Message-ID"] != second["Message-ID"]


def test_a_refund_that_comes_in_between_is_seen_under_the_lock(app, page, database, mailbox):
    question = page.press("Resend")
    db.session.rollback()
    with Session(db.engine) as other, ThreadPoolExecutor(1) as thread:
        if database.kind == "postgresql":
            other.execute(db.select(Order.id).with_for_update())
        other.execute(db.update(Item).values(refunded_at=clock.now()))
        browser = copy_of(page._browser, app)
        answer = thread.submit(browser.client.post, action(question), data=fields(question))
        wait_until_somebody_waits(other, database)
        other.commit()
        assert answer.result().status_code == 409
    assert mailbox.empty


def wait_until_somebody_waits(session, database):
    """Until the other transaction stands at the lock. SQLite shows nobody who waits, and there the
    other one cannot have read anything before the lock was its own."""
    waiting = db.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while database.kind == "postgresql" and not session.scalar(waiting):
        pass


def test_a_token_that_no_question_gave_is_refused(page, mailbox):
    question = page.press("Resend")
    for token in ["", "short", "x" * 65, "with blanks in the middle", "api-" + 48 * "0"]:
        data = fields(question) | {"token": token}
        assert page._browser.client.post(action(question), data=data).status_code == 400
    assert mailbox.empty


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("where", ["/9999/", "/1/"])
def test_a_license_of_another_order_is_not_there(signed_in, rob, order, method, where):
    other = bring_in(order_document("A0000000042", codes=["OTHER-42"]))
    path = {"get": "/new", "post": ""}[method]
    browser = signed_in(rob)
    question = browser.open(f"/orders/{other.number}").press("Resend")
    address = f"/orders/{other.number}/licenses{where}resends{path}"
    answer = browser.client.open(address, method=method, data=fields(question))
    assert answer.status_code == 404


def test_a_resend_costs_a_fixed_number_of_statements(app, signed_in, rob, acme):
    def cost(codes, number):
        items = [item_document(str(ref), codes=codes) for ref in range(len(codes))]
        bring_in(order_document(number, items=items))
        page = signed_in(rob).open(f"/orders/{number}")
        last = page.parts(".resend")[-1].attributes["id"]
        question = page.part(last).press("Resend")
        db.session.rollback()
        with statements(app) as found:
            question.press("Send")
        return len([one for one in found if not one.startswith(("BEGIN", "PRAGMA"))])

    several = cost(["A-1", "B-2", "C-3", "D-4"], "A0000000002")
    assert cost(["A-1", "B-2"], "A0000000001") == several
    # What tells licenses apart in the history is one more than an order with one license needs.
    assert cost(["ONE-1"], "A0000000003") == several - 1
