"""Customers of a checkout page get no more mails a minute than was set, however many send."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.models import CheckoutPage, Delivery, outbox
from portal.models.delivery import DeliveryStatus
from tests.people import bring_in, order_document

EVERY = timedelta(seconds=6)


@pytest.fixture
def queued(acme):
    """Four deliveries of a page that sends ten mails a minute."""
    acme.mails_per_minute = 10
    orders = [bring_in(order_document(f"A000555555{number}")) for number in range(4)]
    deliveries = [
        Delivery.automatic(order.items[0], order.items[0].licenses, token=order.number)
        for order in orders
    ]
    db.session.commit()
    return deliveries


def test_the_first_goes_and_the_others_wait_for_their_turn(queued, mailbox):
    for delivery in queued:
        jobs.send(delivery.id)
    assert len(mailbox.messages) == 1
    first, *others = queued
    assert first.status is DeliveryStatus.SENT
    assert [(each.status, each.attempts) for each in others] == [(DeliveryStatus.QUEUED, 0)] * 3
    slots = [each.due_at for each in others]
    assert [later - sooner for sooner, later in pairwise(slots)] == [EVERY] * 2
    assert all(len(each.order.history) == 0 for each in others)


def test_who_waits_keeps_the_turn_and_goes_when_it_comes(queued, mailbox, acme):
    for delivery in queued:
        jobs.send(delivery.id)
    second, *others = queued[1:]
    slots = [each.slot_at for each in others]
    second.slot_at = second.due_at = clock.now()
    db.session.commit()
    for delivery in queued:
        jobs.send(delivery.id)
    assert [message["Message-ID"] for message in mailbox.messages] == [
        each.message_id for each in queued[:2]
    ]
    assert [each.slot_at for each in others] == slots


def test_a_turn_that_was_missed_long_ago_is_no_turn(queued, mailbox, acme):
    for delivery in queued:
        delivery.slot_at = clock.now() - timedelta(hours=1)
    acme.next_mail_at = clock.now() - timedelta(hours=1)
    db.session.commit()
    for delivery in queued:
        jobs.send(delivery.id)
    assert len(mailbox.messages) == 1


def test_without_a_rate_all_go_at_once(queued, mailbox, acme):
    acme.mails_per_minute = None
    db.session.commit()
    for delivery in queued:
        jobs.send(delivery.id)
    assert len(mailbox.messages) == 4


def test_eight_workers_at_once_keep_to_the_rate_together(app, acme):
    acme.mails_per_minute = 10
    page_id = acme.id
    db.session.commit()

    def take(_number):
        with app.app_context():
            slot = db.session.get_one(CheckoutPage, page_id).next_mail_slot()
            db.session.commit()
            return slot

    with ThreadPoolExecutor(8) as threads:
        slots = sorted(threads.map(take, range(24)))
    gaps = [later - sooner for sooner, later in pairwise(slots)]
    assert gaps == [EVERY] * 23


def test_another_page_does_not_wait(queued, mailbox, nordsoft):
    other = bring_in(order_document("A0007777777", checkout_page="nordsoft"))
    delivery = Delivery.automatic(other.items[0], other.items[0].licenses, token="other")
    db.session.commit()
    for each in [*queued, delivery]:
        jobs.send(each.id)
    assert len(mailbox.messages) == 2
    assert outbox.due(10) == []


@pytest.fixture
def far_ahead(queued, acme, mailbox):
    """Three of the four, whose turn comes in ten hours, as after a rush."""
    for delivery in queued:
        jobs.send(delivery.id)
    for delivery in queued[1:]:
        delivery.slot_at = delivery.due_at = clock.now() + timedelta(hours=10)
    acme.next_mail_at = clock.now() + timedelta(hours=10)
    db.session.commit()
    return queued[1:]


@pytest.mark.parametrize("rate", [600, None])
def test_another_rate_counts_for_those_who_wait(far_ahead, mailbox, acme, rate):
    acme.change(by=None, mails_per_minute=rate)
    db.session.commit()
    assert {*outbox.due(10)} == {delivery.id for delivery in far_ahead}
    for delivery in far_ahead:
        jobs.send(delivery.id)
    assert len(mailbox.messages) >= 2
    soon = clock.now() + timedelta(seconds=1)
    assert all(each.slot_at is None or each.slot_at < soon for each in far_ahead)


def test_what_else_is_changed_moves_no_turn(far_ahead, acme):
    acme.change(by=None, title="Acme Shop", mails_per_minute=10)
    db.session.commit()
    assert outbox.due(10) == []
    assert acme.next_mail_at > clock.now()


def test_another_rate_moves_no_turn_of_another_page(far_ahead, nordsoft):
    nordsoft.change(by=None, mails_per_minute=600)
    db.session.commit()
    assert outbox.due(10) == []


def test_another_rate_starts_nothing_that_waits_for_something_else(far_ahead, acme):
    put_off, stopped, waiting = far_ahead
    put_off.slot_at = None  # it had its turn, and the mail server asked to try again later
    stopped.finish(DeliveryStatus.FAILED)
    acme.change(by=None, mails_per_minute=600)
    db.session.commit()
    assert outbox.due(10) == [waiting.id]
    assert stopped.due_at is None
