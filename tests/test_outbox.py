"""What is queued goes as things stand when it goes, and each outcome is written by whose it is."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.exc import OperationalError

from portal import bounces, clock, jobs, postman
from portal.extensions import db
from portal.models import (
    Delivery,
    DeliveryStatus,
    License,
    Order,
    Product,
    Staff,
    What,
    outbox,
    replacement,
)
from portal.smtp import Outcome
from tests.people import CODE, KIM, bring_in, item_document, order_document
from tests.support.application import statements
from tests.support.faulty_mail_server import FaultyMailServer
from tests.test_bounces import report

CODES = [CODE, "B-2", "C-3"]
CORRECTED = {"email": "kim@example.org"}


@pytest.fixture
def order(acme):
    """An order with three licenses in one item."""
    return bring_in(order_document(codes=CODES))


@pytest.fixture
def delivery(order):
    """The automatic e-mail with all three."""
    item = order.items[0]
    delivery = Delivery.automatic(item, item.licenses, token="t" * 20)
    db.session.commit()
    return delivery


@pytest.fixture
def resend(license, rob, mail_server):
    """A resend of the first license that the mail server put off."""
    mail_server(at="RCPT", answer="451 4.7.1 Greylisted")
    delivery = postman.resend(license, by=rob, token="r" * 20)
    mail_server()
    return delivery


def send_again(delivery):
    delivery.due_at = clock.now()
    db.session.commit()
    jobs.send(delivery.id)
    db.session.expire_all()


def entries(order):
    db.session.expire_all()
    return [entry.what for entry in order.history if entry.what.startswith("email")]


def replace(license, by):
    replacement.replace(license, "NEW-1", because="Faulty", by=by, token="n" * 20)
    db.session.commit()


class Meanwhile(FaultyMailServer):
    """A mail server during whose work something else happens, once."""

    def __init__(self, app, deed, at=None, **fault):
        super().__init__(at, **fault)
        self._app, self._deed = app, deed

    def put(self, raw, sender, recipients):
        super().put(raw, sender, recipients)
        with self._app.app_context():
            self._deed()

    def __enter__(self):
        self._app.extensions["mail"].port = self.port
        return super().__enter__()


def test_what_was_replaced_while_the_mail_was_under_way_is_left_out_of_the_next_attempt(
    app, order, delivery, rob, mail_server
):
    license_id, rob_id = order.items[0].licenses[0].id, rob.id
    db.session.commit()

    def deed():
        license = db.session.get_one(License, license_id)
        license.order.lock()
        replace(license, db.session.get_one(Staff, rob_id))

    with Meanwhile(app, deed, at="BODY", answer="451 4.3.0 Later"):
        jobs.send(delivery.id)
    server = mail_server()
    send_again(delivery)
    (mail,) = server.messages
    assert [code in mail.plain for code in CODES] == [False, True, True]
    assert delivery.status is DeliveryStatus.SENT
    assert [license.text for license in delivery.licenses] == CODES[1:]


def test_a_mail_all_of_which_was_replaced_is_withheld(order, delivery, rob, mailbox):
    for license in order.items[0].licenses:
        license.revoked_at, license.revoked_because = clock.now(), "Faulty"
    db.session.commit()
    jobs.send(delivery.id)
    assert delivery.status is DeliveryStatus.WITHHELD
    assert "replaced: Faulty" in order.history[0].sentence
    assert len(delivery.licenses) == 3
    assert mailbox.empty


def test_however_many_mails_wait_their_licenses_are_read_at_once(app, acme):
    def statements_for(number, count):
        order = bring_in(
            order_document(number, items=[item_document(str(ref)) for ref in range(count)])
        )
        for ref, item in enumerate(order.items):
            Delivery.automatic(item, item.licenses, token=f"{number}{ref}".ljust(20, "t"))
        db.session.commit()
        order = db.session.scalars(db.select(Order).filter_by(id=order.id)).one()
        assert len(order.items) == count
        with statements(app) as ran:
            outbox.withhold(order)
        return [one for one in ran if "delivery_licenses" in one]

    assert len(statements_for("A0001", 2)) == len(statements_for("A0002", 30)) == 1


def test_an_automatic_mail_follows_the_customer_to_another_address(order, delivery, mail_server):
    mail_server(at="RCPT", answer="451 4.3.0 Later")
    jobs.send(delivery.id)
    bring_in(order_document(codes=CODES, customer=CORRECTED))
    server = mail_server()
    send_again(delivery)
    (mail,) = server.messages
    assert mail.recipients == [mail["To"]] == ["kim@example.org"]
    tried, sent = reversed(order.history)
    assert (tried.what, tried.to) == (What.EMAIL_RETRIES, KIM)
    assert (sent.what, sent.to) == (What.EMAIL_SENT, "kim@example.org")


def test_a_resend_is_withheld_once_its_customer_has_another_address(order, resend, mail_server):
    bring_in(order_document(codes=CODES, customer=CORRECTED))
    server = mail_server()
    jobs.send(resend.id)
    assert resend.status is DeliveryStatus.WITHHELD
    assert order.history[0].to == KIM
    assert "has another address" in order.history[0].sentence
    assert server.empty


def test_an_address_that_changes_during_an_attempt_counts_for_the_next(
    app, order, resend, mail_server
):
    def deed():
        bring_in(order_document(codes=CODES, customer=CORRECTED))

    with Meanwhile(app, deed, at="BODY", answer="451 4.3.0 Later"):
        send_again(resend)
    server = mail_server()
    send_again(resend)
    assert resend.status is DeliveryStatus.WITHHELD
    assert server.empty


def lost(delivery):
    """`delivery`, claimed by somebody who must be gone."""
    delivery.due_at = clock.now()
    db.session.commit()
    outbox.claim(delivery.id)
    delivery.due_at = clock.now()
    db.session.commit()
    return delivery


def test_a_late_job_does_not_take_over_what_was_lost(order, delivery, mailbox):
    jobs.send(lost(delivery).id)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.QUEUED, 1)
    assert delivery.due_at > clock.now()
    assert entries(order) == [What.EMAIL_LOST]
    assert mailbox.empty


def test_a_late_job_does_not_send_again_what_a_person_asked_for(order, resend, mailbox):
    jobs.send(lost(resend).id)
    assert resend.status is DeliveryStatus.UNKNOWN
    assert entries(order) == [What.EMAIL_UNKNOWN, What.EMAIL_RETRIES]
    assert mailbox.empty


def test_nobody_is_asked_about_a_lost_mail_that_goes_again_by_itself(order, delivery):
    lost(delivery)
    outbox.settle_lost()
    assert order.history[0].sentence == (
        f"Unknown: the email containing license information may have been sent to {KIM};"
        " it will be sent again"
    )
    assert order.history[0].reason is None


def test_a_mail_that_came_back_before_its_outcome_was_written_has_come_back(app, order, delivery):
    message_id = delivery.message_id
    db.session.commit()
    with Meanwhile(app, lambda: bounces.take(report(message_id))):
        jobs.send(delivery.id)
    assert delivery.status is DeliveryStatus.BOUNCED
    assert entries(order) == [What.EMAIL_BOUNCED]


def test_who_lost_a_mail_changes_nothing_any_more(app, order, delivery, queue):
    delivery_id = delivery.id
    db.session.commit()

    def deed():
        """Another worker takes it for lost, and sends it."""
        found = db.session.get_one(Delivery, delivery_id)
        found.due_at = clock.now()
        db.session.commit()
        outbox.settle_lost()
        found.due_at = clock.now()
        outbox.settle(outbox.claim(delivery_id), Outcome(accepted=True))
        db.session.commit()

    with Meanwhile(app, deed, at="BODY", answer="451 4.3.0 Later"):
        jobs.send(delivery.id)
    db.session.expire_all()
    assert (delivery.status, delivery.due_at) == (DeliveryStatus.SENT, None)
    assert entries(order) == [What.EMAIL_SENT, What.EMAIL_LOST]
    assert queue.pending_count() == 0


def test_a_mail_that_nobody_can_claim_is_tried_with_growing_waits(order, delivery, mailbox):
    Product.appear(order.checkout_page_id, {"1001": "Sentinel"})
    db.session.execute(db.text("UPDATE products SET tool = 'of_tomorrow'"))  # no word of ours
    db.session.commit()
    waits = []
    for _attempt in range(2):
        delivery.due_at = begun = clock.now()
        db.session.commit()
        jobs.send(delivery.id)
        waits.append(delivery.due_at - begun)
    assert waits[0] < waits[1] / 2
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.QUEUED, 2)
    assert entries(order) == [What.EMAIL_RETRIES] * 2
    assert mailbox.empty


@pytest.mark.settings(SQLITE_BUSY_TIMEOUT=0.05)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_that_is_busy_is_no_fault_of_the_mail(database, delivery, caplog):
    delivery_id = delivery.id
    db.session.commit()
    with closing(sqlite3.connect(database.uri.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="database is locked"):
            jobs.send(delivery_id)
    db.session.rollback()
    assert "could not be claimed" not in caplog.text
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.QUEUED, 0)
