"""Messages that come at the same time, to a real server with several processes, lose nothing."""

import random
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.extensions import db
from portal.models import Hook, Order, PageSecret, ReceivedMessage, What
from tests.people import item_document
from tests.support.running_portal import RunningPortal
from tests.support.senders import Sender, created, message, part, tell_over_http

SENDERS = 8
REFUND = "2026-11-05T10:00:00+01:00"


@pytest.fixture
def send_at_once(app, acme, keydesk, mailbox):
    """Send messages through a hook of Acme's from eight senders; the answers in their order."""
    secrets = {hook: PageSecret.add(acme, hook) for hook in Hook}
    db.session.commit()
    portal = RunningPortal(keydesk, "", mailbox.port, "--no-access-log", "--no-worker")

    def send(hook, messages, *, pieces=None, **how):
        path = "/hooks/acme" + ("/noventiq" if hook is Hook.NOVENTIQ else "")
        sender = Sender(app, path, secrets[hook])
        requests = [(*sender.request(given, **how), pieces) for given in messages]
        with ThreadPoolExecutor(SENDERS) as senders:
            return list(
                senders.map(lambda request: tell_over_http(portal.port, path, *request), requests)
            )

    yield send
    portal.end(signal.SIGKILL)


def saved(number):
    return db.session.get(Order, number)


def numbered(number, **changes):
    return {"order_id": number, "order_name": f"A{number:010}"} | changes


def test_the_parts_of_orders_that_come_at_once_are_all_there(send_at_once):
    numbers, codes = range(1, 13), ("1001", "1002", "1003")
    messages = [
        part(event, code=code, number=position, of=3, paid=paid, event_date=at, **numbered(number))
        for number in numbers
        for position, code in enumerate(codes, 1)
        for event, paid, at in (
            ("order.created", False, "2026-11-02T10:00:00+01:00"),
            ("order.payment.succeeded", True, "2026-11-02T10:05:00+01:00"),
        )
    ]
    twice = messages * 2
    # Mixed within an order and its neighbours, so that the parts of one order really meet.
    random.Random(7).shuffle(twice)
    twice.sort(key=lambda given: given["order_id"] // 4)
    answers = send_at_once(Hook.NOVENTIQ, twice)

    assert Counter(status for status, _answer in answers) == {200: len(twice)}
    for number in numbers:
        order = saved(number)
        assert (order.status, str(order.total)) == ("paid", "89.85")
        assert sorted(item.ref for item in order.items) == list(codes)
        assert sorted(item.position for item in order.items) == [1, 2, 3]
        assert [entry.what for entry in order.history] == [What.ORDER_PAID]
    received = db.session.scalars(db.select(ReceivedMessage)).all()
    assert len(received) == len(messages)
    outcomes = Counter(str(one.outcome) for one in received)
    assert outcomes["imported"] == len(numbers)
    assert outcomes["rejected"] == 0


def test_all_parts_that_are_returned_at_once_delete_the_order(send_at_once):
    codes = [str(code) for code in range(1001, 1009)]
    for event in ("order.payment.succeeded", "product.returned"):
        at = REFUND if event == "product.returned" else "2026-11-02T10:05:00+01:00"
        messages = [
            part(event, code=code, number=position, of=8, event_date=at)
            for position, code in enumerate(codes, 1)
        ]
        answers = send_at_once(Hook.NOVENTIQ, messages)
        assert {status for status, _answer in answers} == {200}
        db.session.rollback()
    order = saved(5555555)
    assert order.status == "deleted"
    assert all(item.refunded_at for item in order.items)
    history = Counter(entry.what for entry in order.history)
    assert history[What.ORDER_DELETED] == history[What.ORDER_PAID] == 1
    assert history[What.ITEM_REFUNDED] == 8


def test_the_same_message_from_all_at_once_counts_once(send_at_once):
    for number in range(5):
        given = message(number=f"A{number + 1}")
        answers = send_at_once(Hook.WEBHOOK, [given] * SENDERS, id=f"msg_{number}")
        assert answers == [(200, {"outcome": "imported", "order": f"A{number + 1}"})] * SENDERS
    assert db.session.scalar(db.select(db.func.count(ReceivedMessage.id))) == 5
    assert [entry.what for entry in saved(1).history] == [What.ORDER_PAID]


def test_the_events_of_an_order_that_come_at_once_lead_to_its_newest_state(send_at_once):
    def events(number):
        bought = [item_document(ref, codes=[f"{number}-{ref}"]) for ref in ("1", "2")]
        back = [bought[0] | {"refunded_at": REFUND}, bought[1]]
        waiting = [item | {"licenses": []} for item in bought]
        return [
            created(number=number, items=waiting, locale="de"),
            message(number=number, items=waiting, locale="fr"),
            message("item.refunded", number=number, items=back, at=REFUND, locale="es"),
        ]

    told = [event for number in range(1, 25) for event in events(f"A{number}")]
    random.Random(7).shuffle(told)
    told.sort(key=lambda event: int(event["data"]["number"][1:]) // 4)
    answers = send_at_once(Hook.WEBHOOK, told)
    assert Counter(status for status, _answer in answers) == {200: len(told)}
    for number in range(1, 25):
        order = saved(number)
        assert (order.status, order.locale) == ("paid", "es")
        assert [bool(item.refunded_at) for item in order.items] == [True, False]
        assert [license.text for item in order.items for license in item.licenses] == [
            f"A{number}-1",
            f"A{number}-2",
        ]
        history = Counter(entry.what for entry in order.history)
        assert history == {What.ORDER_PAID: 1, What.ITEM_REFUNDED: 1}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_message_may_come_in_pieces_and_is_not_longer_for_that(send_at_once):
    assert send_at_once(Hook.WEBHOOK, [message()], pieces=100)[0][0] == 200
    entry = {"at": REFUND, "text": "x" * 1000}
    long = message(number="A1") | {"padding": [entry] * 1000}
    ((status, answer),) = send_at_once(Hook.WEBHOOK, [long], pieces=65_536)
    assert (status, answer["error"]) == (413, "too_large")
    assert saved(1) is None
