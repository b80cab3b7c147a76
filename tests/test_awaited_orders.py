"""The orders that somebody waits for are an index: whatever happens, it says what the items say."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from sqlalchemy import delete, func, select, update

from portal import clock
from portal.extensions import db
from portal.models import AwaitedOrder, Item, License, Order, OrderStatus
from tests.people import bring_in, item_document, order_document

COLUMNS = ("order_id", "checkout_page_id", "status", "created_at", "items")


def kept():
    rows = db.session.execute(select(*(getattr(AwaitedOrder, name) for name in COLUMNS)))
    return sorted(map(tuple, rows))


def derived():
    columns = (Order.id, Order.checkout_page_id, Order.status, Order.created_at)
    query = select(*columns, func.count()).join(Item).where(Item.is_awaited).group_by(*columns)
    return sorted(map(tuple, db.session.execute(query)))


def change(model, condition, **values):
    db.session.execute(update(model).where(condition).values(**values))
    assert kept() == derived()
    return [row[-1] for row in kept()]


def test_it_follows_all_that_happens_to_orders_and_items(acme):
    items = [item_document(ref, codes=()) for ref in "12"]
    bring_in(order_document("A1", items=items))
    bring_in(order_document("A2"))
    assert kept() == derived() != []
    assert [(row[0], row[-1]) for row in kept()] == [(1, 2)]

    first, now = Item.ref == "1", clock.now()
    assert change(Item, first, fulfilled_at=now) == [1]
    assert change(Item, first, refunded_at=now) == [1]
    assert change(Order, Order.id == 1, status=OrderStatus.DELETED) == [1]
    assert change(Order, Order.id == 1, created_at=now - timedelta(days=9)) == [1]
    assert change(Item, Item.order_id == 1, fulfilled_at=now) == []
    assert change(Item, Item.order_id == 1, fulfilled_at=None, refunded_at=None) == [2]
    db.session.execute(delete(License))
    db.session.execute(delete(Item).where(Item.order_id == 1, first))
    assert kept() == derived() != []
    db.session.execute(delete(Item))
    assert kept() == []


def test_two_items_that_are_fulfilled_at_the_same_time_leave_nothing_behind(app, acme):
    bring_in(order_document("A1", items=[item_document(ref, codes=()) for ref in "12"]))
    db.session.commit()
    ready = Barrier(2)

    def fulfil(ref):
        with app.app_context():
            ready.wait(10)
            db.session.execute(update(Item).where(Item.ref == ref).values(fulfilled_at=clock.now()))
            db.session.commit()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(fulfil, "12"))
    assert kept() == derived() == []
