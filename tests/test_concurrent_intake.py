"""Orders come in from several sides at once: nothing is lost, and nobody waits in a circle."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.intake.document import read_document
from portal.intake.jsonl import Import
from portal.intake.upsert import upsert
from portal.models import HistoryEntry, Item, License, Order, What
from tests.people import bring_in, item_document, order_document

# Eight senders on a busy machine: whoever polls SQLite's lock may have no luck for a while.
pytestmark = pytest.mark.settings(SQLITE_BUSY_TIMEOUT=60)

SENDERS = 8
NUMBERS = [f"A{number:010}" for number in range(1, 31)]
TIME = "2026-11-05T10:00:00+01:00"


@pytest.fixture
def in_threads(app):
    """Do something for each of some things, each in a thread of its own; what came of each."""

    def each(do, things):
        def with_database(thing):
            with app.app_context():
                return do(thing)

        with ThreadPoolExecutor(len(things)) as threads:
            return list(threads.map(with_database, things))

    return each


def part_of_an_order(number, sender):
    """What one sender knows of an order: an item of its own, one that two know, one that all do."""
    items = [
        item_document(f"own-{sender}", codes=[f"{number}-{sender}"] * 2),
        item_document(f"pair-{sender // 2}", codes=[f"{number}-pair"]),
        item_document("all", codes=[f"{number}-all", f"{number}-{sender}"]),
    ]
    return order_document(number, items=items, history=[{"at": TIME, "text": f"Seen by {sender}"}])


def parts_of_all_orders(sender):
    numbers = Random(sender).sample(NUMBERS, len(NUMBERS))
    return [json.dumps(part_of_an_order(number, sender)).encode() for number in numbers]


def import_lines(lines):
    """Bring `lines` in by small files, so that there are many transactions; complaints, counts."""
    run, complaints = Import(), []
    for start in range(0, len(lines), 10):
        complaints += [complaint for _line, complaint in run.run(lines[start : start + 10])]
    return complaints, run.counts


def everything():
    """All that is saved, but for the order in which it came."""
    db.session.expire_all()
    licenses = Counter(
        (license.order.number, license.item.ref, license.text)
        for license in db.session.scalars(select(License))
    )
    history = select(HistoryEntry.order_id, HistoryEntry.what, HistoryEntry.text)
    entries = Counter(map(tuple, db.session.execute(history)))
    items = Counter(map(tuple, db.session.execute(select(Item.order_id, Item.ref))))
    db.session.commit()
    return licenses, items, entries


def remove_everything():
    for model in (HistoryEntry, License, Item, Order):
        db.session.execute(model.__table__.delete())
    db.session.commit()


def test_senders_of_parts_of_the_same_orders_lose_nothing_between_them(in_threads, acme):
    files = [parts_of_all_orders(sender) for sender in range(SENDERS)]
    for lines in files:
        import_lines(lines)
    one_after_the_other = everything()
    remove_everything()

    runs = in_threads(import_lines, files)
    assert [complaints for complaints, _counts in runs] == [[]] * SENDERS
    total = sum((counts for _complaints, counts in runs), Counter())
    assert total == {"imported": len(NUMBERS), "updated": len(NUMBERS) * (SENDERS - 1)}
    assert everything() == one_after_the_other


def test_senders_of_one_order_at_a_time_lose_nothing_while_a_file_comes_in(in_threads, acme):
    files = [parts_of_all_orders(sender) for sender in range(SENDERS)]
    for lines in files:
        import_lines(lines)
    one_after_the_other = everything()
    remove_everything()

    def send(sender):
        if sender < 2:
            return import_lines(files[sender])[0]
        outcomes = []
        for line in files[sender][:15]:
            outcomes += upsert([read_document(line)])
            db.session.commit()
        import_lines(files[sender][15:])
        return [outcome for outcome in outcomes if isinstance(outcome, Exception)]

    assert in_threads(send, range(SENDERS)) == [[]] * SENDERS
    assert everything() == one_after_the_other


def test_the_payment_and_a_refund_that_come_at_once_are_one_entry_each(in_threads, acme):
    bring_in(order_document(status="not paid", paid_at=None, codes=[]))
    db.session.commit()  # on SQLite, whoever is in a transaction keeps the others out
    refunded = order_document(items=[item_document(codes=[], refunded_at=TIME)])
    for message in (order_document(codes=[]), refunded):

        def send(document):
            (outcome,) = upsert([read_document(json.dumps(document))])
            db.session.commit()
            return str(outcome)

        outcomes = in_threads(send, [message] * SENDERS)
        assert Counter(outcomes) == {"updated": 1, "unchanged": SENDERS - 1}
    db.session.expire_all()
    history = db.session.scalars(select(HistoryEntry.what).order_by(HistoryEntry.id)).all()
    assert history == [What.ORDER_PAID, What.ITEM_REFUNDED]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_order_does_not_wait_for_a_batch_of_others(in_threads, acme):
    bring_in(order_document("A100"))
    db.session.commit()
    upsert([read_document(json.dumps(order_document(f"A{number}"))) for number in range(1, 99)])

    def send(number):  # while that batch is not committed
        (outcome,) = upsert([read_document(json.dumps(order_document(number, locale="de")))])
        db.session.commit()
        return str(outcome)

    assert in_threads(send, ["A99", "A100"]) == ["imported", "updated"]
    db.session.commit()
    assert db.session.query(Order).count() == 100


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_was_refused_holds_no_order_while_the_rest_goes_in(in_threads, acme):
    """The halves of a batch are written from the lowest order on: nobody waits in a circle."""
    db.session.execute(db.text("ALTER TABLE orders ADD CONSTRAINT stop CHECK (id % 10 <> 0)"))
    db.session.commit()
    try:
        runs = in_threads(import_lines, [parts_of_all_orders(sender) for sender in range(SENDERS)])
    finally:
        db.session.execute(db.text("ALTER TABLE orders DROP CONSTRAINT stop"))
        db.session.commit()
    refused = "line: the database refused it (CheckViolation)"
    for complaints, counts in runs:
        assert complaints == [refused] * 3
        assert counts["rejected"] == 3
    licenses, items, _entries = everything()
    assert (len(items), licenses.total()) == (27 * 13, 27 * 29)
