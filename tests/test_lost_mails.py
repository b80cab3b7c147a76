"""Of an e-mail that the mail server may have, nobody says that it was not sent."""

from datetime import timedelta

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.models import Delivery, DeliveryStatus, Fulfilment, Notice, OrderStatus, What, outbox
from portal.models.product import Tool
from portal.smtp import Failure, Outcome
from tests.people import KIM, bring_in, order_document

UNKNOWN = f"Unknown: the email containing license information may have been sent to {KIM}"


def send_again(mail):
    mail.due_at = clock.now()
    db.session.commit()
    (jobs.send if isinstance(mail, Delivery) else jobs.notify)(mail.id)


def entries(order):
    db.session.expire_all()
    return [entry.what for entry in order.history if entry.what.is_about_mail]


@pytest.fixture
def lost(license, mail_server):
    """The automatic e-mail, which the mail server took before it broke the connection off."""
    delivery = Delivery.automatic(license.item, [license], token="t" * 20)
    mail_server(at="BODY", does="drop")
    send_again(delivery)
    assert (delivery.status, entries(license.order)) == (DeliveryStatus.QUEUED, [What.EMAIL_LOST])
    return delivery


def test_one_that_is_refused_later_may_have_been_sent(lost, mail_server):
    mail_server(at="RCPT", answer="550 5.1.1 No such user")
    send_again(lost)
    assert lost.status is DeliveryStatus.UNKNOWN
    assert lost.outcome.startswith(UNKNOWN)
    entry = lost.order.history[0]
    assert (entry.what, entry.answer) == (What.EMAIL_UNKNOWN, "550 5.1.1 No such user")
    assert entry.reason == (
        "The mail server refused the address."
        " Ask the customer whether it arrived before you send it again."
    )


def test_one_that_is_put_off_later_may_have_been_sent(lost, mail_server):
    mail_server(at="RCPT", answer="451 4.3.0 Later")
    send_again(lost)
    assert lost.status is DeliveryStatus.QUEUED
    assert entries(lost.order) == [What.EMAIL_LOST, What.EMAIL_LOST]
    assert lost.order.history[0].reason == "The mail server asked to try again later."


def test_one_that_is_tried_no_more_may_have_been_sent(lost, mail_server):
    mail_server(at="CONNECT", does="refuse")
    lost.started_at = clock.now() - timedelta(days=3)
    send_again(lost)
    assert lost.status is DeliveryStatus.UNKNOWN
    assert entries(lost.order) == [What.EMAIL_UNKNOWN, What.EMAIL_LOST]


def test_one_that_is_stopped_may_have_been_sent(lost, rob):
    lost.stop(by=rob)
    db.session.commit()
    assert lost.status is DeliveryStatus.UNKNOWN
    assert lost.outcome.startswith(UNKNOWN)
    assert entries(lost.order) == [What.EMAIL_STOPPED, What.EMAIL_LOST]


def test_one_that_the_rule_refuses_by_now_may_have_been_sent(lost):
    lost.order.status = OrderStatus.DELETED
    send_again(lost)
    assert lost.status is DeliveryStatus.UNKNOWN
    assert lost.outcome.startswith(UNKNOWN)
    assert entries(lost.order) == [What.EMAIL_NOT_REPEATED, What.EMAIL_LOST]
    assert lost.order.history[0].sentence == (
        f"Unknown: an email may have been sent to {KIM}, and is not sent again:"
        " The order’s status is “deleted”."
    )


def test_one_that_is_accepted_later_was_sent(lost, mail_server):
    mail_server()
    send_again(lost)
    assert lost.status is DeliveryStatus.SENT


def test_one_that_is_repeated_begins_anew(license, rob):
    delivery = Delivery.automatic(license.item, [], token="t" * 20)
    db.session.flush()
    outbox.settle(outbox.claim(delivery.id), Outcome(None, Failure.DROPPED))
    delivery.stop(by=rob)
    delivery.repeat(by=rob)
    outbox.settle(outbox.claim(delivery.id), Outcome(False, Failure.ADDRESS_REFUSED))
    assert delivery.status is DeliveryStatus.FAILED


@pytest.fixture
def notice(acme, mail_server):
    """What the vendor is told, which the mail server took before it broke the connection off."""
    acme.vendor_email = "vendor@acme.example"
    (begun,) = Fulfilment.begin(bring_in(order_document(codes=())))
    begun.product.tool = Tool.LICENSE_REQUEST
    db.session.commit()
    mail_server(at="BODY", does="drop")
    jobs.fulfil(begun.id)
    return db.session.scalars(db.select(Notice)).one()


@pytest.mark.parametrize("answer", ["550 5.1.1 No such user", "451 4.3.0 Later"])
def test_of_what_the_vendor_may_have_nobody_says_that_it_was_not_told(notice, mail_server, answer):
    mail_server(at="RCPT", answer=answer)
    notice.started_at = clock.now() - timedelta(days=3)
    send_again(notice)
    order = notice.item.order
    assert entries(order) == [What.VENDOR_UNKNOWN]
    assert order.history[0].sentence == (
        "Unknown: the vendor may have been told by e-mail at vendor@acme.example"
    )


def test_what_a_process_died_over_may_have_reached_the_vendor(notice, mail_server):
    notice.may_have_left = False
    notice.due_at = clock.now()
    Notice.claim(notice.id)
    mail_server(at="RCPT", answer="550 5.1.1 No such user")
    send_again(notice)
    assert entries(notice.item.order) == [What.VENDOR_UNKNOWN]


def test_what_was_refused_by_all_has_not_reached_the_vendor(notice, mail_server):
    notice.may_have_left = False
    mail_server(at="RCPT", answer="451 4.3.0 Later")
    send_again(notice)
    mail_server(at="RCPT", answer="550 5.1.1 No such user")
    send_again(notice)
    assert entries(notice.item.order) == [What.VENDOR_NOT_TOLD]


def test_what_the_vendor_may_have_after_the_last_try_is_unknown(notice, mail_server):
    mail_server(at="BODY", does="drop")
    notice.started_at = clock.now() - timedelta(days=3)
    send_again(notice)
    order = notice.item.order
    assert entries(order) == [What.VENDOR_UNKNOWN]
    assert order.history[0].reason == "The mail server broke the connection off."
