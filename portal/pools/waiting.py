"""Items that wait for a pool are served when there is more in it: the oldest order first.

Nobody has to be reached for that: what a process that died has left undone is done by the next
sweep.
"""

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, select, update

from portal import clock
from portal.extensions import db
from portal.models.fulfilment import Fulfilment, FulfilmentState
from portal.models.item import Item
from portal.models.order import Order
from portal.models.order_status import OrderStatus
from portal.models.pool import Pool
from portal.models.pool_license import PoolWait
from portal.pools import products, stock

# So many items are served in one transaction, which takes a fraction of a second.
CHUNK = 100
# So many give back at once, or are woken by a sweep, which comes again.
MANY = 1_000

ASLEEP = (Fulfilment.state == FulfilmentState.WAITING, Fulfilment.due_at.is_(None))


def serve(pool_id: int, most: int | None = None) -> list[int]:
    """Give what is free to the items that wait, `most` chunks of them, and commit; the fulfilments
    that are due by now.

    Others get their turn in between, but take nothing as long as somebody waits.
    """
    due: list[int] = []
    chunks = 0
    while (most is None or chunks < most) and _serve_some(pool_id):
        due += _wake(pool_id)
        chunks += 1
    return due


def serve_all() -> list[int]:
    """The same for all pools, with what is reserved in vain, and for what was given out but told to
    nobody, as the sweep does."""
    due: list[int] = []
    for pool_id in db.session.scalars(select(PoolWait.pool_id).distinct()).all():
        while _free_some(pool_id) == MANY:
            pass
        due += serve(pool_id) + _wake(pool_id)
    db.session.rollback()
    return due


def _wake(pool_id: int) -> list[int]:
    """Make the items due that are ready and asleep, and commit; their fulfilments."""
    _lock(pool_id)
    ready = _waits(pool_id).where(PoolWait.is_ready, _wants_some(pool_id, *ASLEEP))
    items = db.session.scalars(ready.limit(MANY)).all()
    due = db.session.scalars(
        update(Fulfilment)
        .where(Fulfilment.item_id.in_(items), *ASLEEP)
        .values(due_at=clock.now())
        .returning(Fulfilment.id),
        execution_options={"synchronize_session": False},
    ).all()
    db.session.commit()
    return sorted(due)


def _free_some(pool_id: int) -> int:
    """Free what is reserved for items that will not come for it, and commit; how many those are.
    Nothing is taken from under the hands of who is at work on one."""
    _lock(pool_id)
    is_worked_on = exists().where(
        Fulfilment.item_id == PoolWait.item_id, Fulfilment.state == FulfilmentState.WORKING
    )
    vain = _waits(pool_id).where(~_wants_some(pool_id), ~is_worked_on)
    if items := db.session.scalars(vain.limit(MANY)).all():
        stock.give_back(pool_id, items)
    db.session.commit()
    return len(items)


def _serve_some(pool_id: int) -> bool:
    """Serve those that wait longest; False once nothing is free or nobody waits."""
    pool = _lock(pool_id)
    served, free = False, pool.stock
    if free:
        waiting = _waits(pool_id).where(PoolWait.missing > 0, _wants_some(pool_id))
        oldest = waiting.order_by(PoolWait.ordered_at, PoolWait.item_id).limit(CHUNK)
        for wait in db.session.execute(oldest).all():
            if not free:
                break
            free -= _serve_one(pool_id, wait, free)
            served = True
    pool.look_at_stock()
    db.session.commit()
    return served


def _serve_one(pool_id: int, wait: Row[*tuple[Any, ...]], free: int) -> int:
    """Give an item what it lacks, as far as it goes; how many licenses that took."""
    taken = len(stock.take(pool_id, wait.item_id, min(wait.missing, free)).licenses)
    missing = wait.missing - taken
    is_ready = not missing or (wait.in_parts and taken > 0)
    db.session.execute(
        update(PoolWait)
        .where(PoolWait.item_id == wait.item_id)
        .values(missing=missing, is_ready=is_ready),
        execution_options={"synchronize_session": False},
    )
    return taken if taken else free  # fewer than counted: there is nothing left to give


def _lock(pool_id: int) -> Pool:
    pool = db.session.get_one(Pool, pool_id)
    pool.lock()
    return pool


def _waits(pool_id: int) -> Select[int, int, bool]:
    return select(PoolWait.item_id, PoolWait.missing, PoolWait.in_parts).where(
        PoolWait.pool_id == pool_id
    )


def _wants_some(pool_id: int, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an item that waits still wants licenses of the pool. Lock before: who was given this
    pool meanwhile has to ask for the first time after that, and is not missed.

    It is asked of each that waits: joined, SQLite would begin with all orders that are paid.
    """
    return (
        select(Item.id)
        .join(Order, Order.id == Item.order_id)
        .join(Fulfilment, Fulfilment.item_id == Item.id)
        .where(
            Item.id == PoolWait.item_id,
            Item.is_awaited,
            Order.status == OrderStatus.PAID,
            Fulfilment.product_id.in_(products.ids_of(pool_id)),
            *conditions,
        )
        .exists()
    )
