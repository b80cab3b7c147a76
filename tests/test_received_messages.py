"""What was received is kept for thirty days, sealed, and a rejected message can be replayed."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from portal import clock, jobs
from portal.extensions import db
from portal.models import Hook, MessageOutcome, Order, PageSecret, ReceivedMessage, Refused
from portal.models.received_message import FORGOTTEN_AT_ONCE
from tests.people import CODE, KIM, bring_in, order_document
from tests.support.senders import Sender, created, message, part

# Who waits for a lock in this database: there are others beside it.
WAITING = """
    SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (
        SELECT pid FROM pg_locks JOIN pg_database ON database = oid
        WHERE datname = current_database()
    )
"""


@pytest.fixture
def acme_sends(app, acme):
    secret = PageSecret.add(acme, Hook.WEBHOOK)
    db.session.commit()
    return Sender(app, "/hooks/acme", secret)


@pytest.fixture
def rejected(acme_sends, acme, nordsoft):
    """A message that was rejected because its order belonged to another page, until now."""
    order = bring_in(order_document(checkout_page="nordsoft"))
    assert acme_sends.tell(message(locale="de"), id="msg_1").status_code == 422
    order.checkout_page = acme
    db.session.commit()
    return db.session.scalars(db.select(ReceivedMessage)).one()


def saved():
    db.session.expire_all()
    return db.session.get(Order, 5555555)


def test_a_rejected_message_that_is_replayed_goes_the_same_way_again(rejected, ada, acme_sends):
    rejected.replay(by=ada)
    db.session.commit()
    assert (rejected.outcome, rejected.complaint) == (MessageOutcome.UPDATED, None)
    assert rejected.replayed_by is ada
    assert rejected.replayed_at <= clock.now()
    assert saved().locale == "de"
    again = acme_sends.tell(message(locale="de"), id="msg_1")
    assert (again.status_code, again.json["outcome"]) == (200, "updated")


def test_a_replay_can_be_rejected_again_and_says_why(rejected, ada):
    order = saved()
    order.status, order.told_at = "deleted", clock.now() - timedelta(days=365)
    db.session.commit()
    rejected.replay(by=None)
    assert rejected.outcome is MessageOutcome.REJECTED
    assert rejected.complaint == "status: an order that is “deleted” cannot become “paid”"
    assert rejected.replay_refusal() is None


def test_a_replay_comes_late_and_takes_nothing_back(rejected, acme_sends, ada):
    newer = message(at="2026-11-07T10:00:00+01:00", locale="fr")
    assert acme_sends.tell(newer).status_code == 200
    rejected.replay(by=ada)
    assert rejected.outcome is MessageOutcome.UNCHANGED
    assert saved().locale == "fr"


def test_a_message_is_replayed_once(rejected, ada):
    rejected.replay(by=ada)
    with pytest.raises(Refused) as refused:
        rejected.replay(by=ada)
    assert refused.value.refusal.word == "not_rejected"


@pytest.mark.parametrize("sealed", [None, b"\0" * 100], ids=["erased", "unreadable"])
def test_a_message_that_cannot_be_read_is_not_replayed(rejected, ada, sealed):
    rejected.sealed = sealed
    db.session.commit()
    with pytest.raises(Refused) as refused:
        rejected.replay(by=ada)
    assert refused.value.refusal.word == "message_erased"
    assert rejected.outcome is MessageOutcome.REJECTED


def test_a_part_of_noventiqs_is_replayed_too(app, acme, nordsoft, ada):
    secret = PageSecret.add(acme, Hook.NOVENTIQ)
    order = bring_in(order_document(checkout_page="nordsoft"))
    sender = Sender(app, "/hooks/acme/noventiq", secret)
    assert sender.tell(part(code="1002")).status_code == 422
    order.checkout_page = acme
    (received,) = ReceivedMessage.newest(acme)
    received.replay(by=ada)
    assert received.outcome is MessageOutcome.UPDATED
    assert [item.ref for item in saved().items] == ["1", "1002"]


def test_a_body_does_not_open_in_another_row(acme_sends, acme):
    acme_sends.tell(message(codes=[CODE]))
    acme_sends.tell(created(number="A7"))
    newer, older = ReceivedMessage.newest(acme)
    assert json.loads(older.body)["data"]["number"] == "A0005555555"
    newer.sealed = older.sealed
    db.session.flush()
    assert newer.body is None


def test_messages_are_listed_newest_first_and_page_by_page(acme_sends, acme, nordsoft, app):
    for number in range(5):
        acme_sends.tell(message(number=f"A{number + 1}"))
    first = ReceivedMessage.newest(acme, limit=2)
    assert [one.order_number for one in first] == ["A5", "A4"]
    rest = ReceivedMessage.newest(acme, before=first[-1].id)
    assert [one.order_number for one in rest] == ["A3", "A2", "A1"]
    assert ReceivedMessage.newest(nordsoft) == []


def test_what_a_message_is_about_is_written_down_as_far_as_it_can_be_understood(acme_sends, acme):
    for data in ({"number": "A7"}, {"number": "A" * 99}, {"number": 7}, "x", None):
        acme_sends.tell({"type": "a\0b" if data == "x" else "order.odd", "data": data})
    found = [(one.type, one.order_number, one.order_id) for one in ReceivedMessage.newest(acme)]
    assert found == [
        ("order.odd", None, None),
        (None, None, None),
        ("order.odd", None, None),
        ("order.odd", None, None),
        ("order.odd", "A7", 7),
    ]


def aged(received, days):
    received.received_at = clock.now() - timedelta(days=days)
    db.session.commit()


def test_what_came_more_than_thirty_days_ago_is_forgotten(acme_sends, acme):
    for number, days in ((1, 31), (2, 29), (3, 0)):
        acme_sends.tell(message(number=f"A{number}"))
        aged(ReceivedMessage.newest(acme)[0], days)
    db.session.commit()
    jobs.forget_messages()
    assert [one.order_number for one in ReceivedMessage.newest(acme)] == ["A3", "A2"]
    assert ReceivedMessage.forget_old() == 0
    assert db.session.get(Order, 1) is not None


def test_forgetting_takes_a_bounded_number_at_once(app, acme):
    old = {"checkout_page_id": acme.id, "hook": Hook.WEBHOOK, "received_at": clock.now()}
    old["received_at"] -= timedelta(days=31)
    rows = [old | {"message_id": f"msg_{number}"} for number in range(FORGOTTEN_AT_ONCE + 5)]
    db.session.execute(db.insert(ReceivedMessage), rows)
    assert [ReceivedMessage.forget_old() for _time in range(3)] == [FORGOTTEN_AT_ONCE, 5, 0]


def test_nothing_that_a_message_says_is_logged(acme_sends, caplog):
    caplog.set_level(logging.DEBUG)
    acme_sends.tell(message(codes=[CODE]))
    acme_sends.tell(message(codes=[CODE], total="x"))
    acme_sends.post(json.dumps(message(codes=[CODE])))
    assert CODE not in caplog.text
    assert KIM not in caplog.text


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_replay_and_who_erases_the_customer_do_not_wait_in_a_circle(app, rejected):
    received_id = rejected.id
    db.session.rollback()

    def replay():
        with app.app_context():
            db.session.get(ReceivedMessage, received_id).replay(by=None)
            db.session.commit()

    with Session(db.engine) as other, ThreadPoolExecutor(1) as thread:
        other.execute(db.select(Order.id).with_for_update())  # an import begins like this
        replayed = thread.submit(replay)
        while not other.scalar(db.text(WAITING)):
            assert not replayed.done()
        other.execute(db.update(ReceivedMessage).values(sealed=None))
        other.commit()
        replayed.result()
    received = db.session.get(ReceivedMessage, received_id)
    assert (received.outcome, received.body) == (MessageOutcome.UPDATED, None)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_message_that_comes_while_the_customer_is_erased_keeps_no_body(app, acme_sends):
    acme_sends.tell(message())

    def come():
        with app.app_context():
            acme_sends.tell(message(total="x"), id="msg_late")

    with Session(db.engine) as other, ThreadPoolExecutor(1) as thread:
        other.execute(db.select(Order.id).with_for_update())  # an import begins like this
        came = thread.submit(come)
        while not other.scalar(db.text(WAITING)):
            assert not came.done()
        other.execute(db.update(Order).values(email=None, erased_at=clock.now()))
        other.execute(db.update(ReceivedMessage).values(sealed=None))
        other.commit()
        came.result()
    late = db.session.scalars(db.select(ReceivedMessage).filter_by(message_id="msg_late")).one()
    assert (late.outcome, late.body) == (MessageOutcome.REJECTED, None)
