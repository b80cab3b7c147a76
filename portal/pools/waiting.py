"""Items that wait for a pool are served when there is more in it: the oldest order first.

Nobody has to be reached for that: what a process that died has left undone is done by the next
sweep.
"""

from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select, update

from portal import clock
from portal.extensions import db
from portal.models.fulfilment import Fulfilment, FulfilmentState
from portal.models.item import Item
from portal.models.order import Order
from portal.models.order_status import OrderStatus
from portal.models.pool import Pool
from portal.models.pool_license import PoolWait
from portal.pools import stock

# So many items are served in one transaction, which takes a fraction of a second.
CHUNK = 100
# So many are woken at once by a sweep, which comes again.
MOST_WOKEN = 1_000


def serve(pool_id: int, most: int | None = None) -> list[int]:
    """Give what is free to the items that wait, `most` chunks of them, and commit; the fulfilments
    that are due by now.

    Others get their turn in between, but take nothing as long as somebody waits.
    """
    due: list[int] = []
    chunks = 0
    while (most is None or chunks < most) and (served := _serve_some(pool_id)):
        due += wake(pool_id, PoolWait.item_id.in_(served))
        chunks += 1
    return due


def serve_all() -> list[int]:
    """The same for all pools, and for what was given out but told to nobody, as the sweep does."""
    due: list[int] = []
    asleep = or_(
        and_(Fulfilment.state == FulfilmentState.WAITING, Fulfilment.due_at.is_(None)),
        Fulfilment.state == FulfilmentState.DONE,
    )
    for pool_id in db.session.scalars(select(PoolWait.pool_id).distinct()).all():
        due += serve(pool_id) + wake(pool_id, asleep)
    db.session.rollback()
    return due


def wake(pool_id: int, those: ColumnElement[bool]) -> list[int]:
    """Make `those` items due that are ready and asleep, and commit; their fulfilments. What was
    reserved for an item that was refunded meanwhile becomes free."""
    db.session.get_one(Pool, pool_id).lock()
    ready = _waits().where(PoolWait.pool_id == pool_id, PoolWait.is_ready, those).limit(MOST_WOKEN)
    wakeful = []
    for wait in db.session.execute(ready).all():
        if not _is_pointless(wait):
            wakeful.append(wait.item_id)
        elif wait.state is not FulfilmentState.WORKING:
            stock.give_back(wait.item_id)
    due = db.session.scalars(
        update(Fulfilment)
        .where(
            Fulfilment.item_id.in_(wakeful),
            Fulfilment.state == FulfilmentState.WAITING,
            Fulfilment.due_at.is_(None),
        )
        .values(due_at=clock.now())
        .returning(Fulfilment.id),
        execution_options={"synchronize_session": False},
    ).all()
    db.session.commit()
    return sorted(due)


def _serve_some(pool_id: int) -> list[int]:
    """Serve those that wait longest: items, none once nothing is free or nobody waits."""
    pool = db.session.get_one(Pool, pool_id)
    pool.lock()
    served: list[int] = []
    free = pool.stock
    if free:
        waiting = _waits().where(PoolWait.pool_id == pool_id, PoolWait.missing > 0)
        oldest = waiting.order_by(PoolWait.ordered_at, PoolWait.item_id).limit(CHUNK)
        for wait in db.session.execute(oldest).all():
            if not free:
                break
            free -= _serve_one(pool_id, wait, free)
            served.append(wait.item_id)
    pool.look_at_stock()
    db.session.commit()
    return served


def _serve_one(pool_id: int, wait: Row[*tuple[Any, ...]], free: int) -> int:
    """Give an item what it lacks, as far as it goes; how many licenses that took."""
    if _is_pointless(wait):
        # What it holds is freed once nobody is at work on it.
        _settle(wait.item_id, missing=0, is_ready=True)
        return 0
    taken = len(stock.take(pool_id, wait.item_id, min(wait.missing, free)).licenses)
    missing = wait.missing - taken
    _settle(wait.item_id, missing=missing, is_ready=not missing or (wait.in_parts and taken > 0))
    return taken if taken else free  # fewer than counted: there is nothing left to give


def _settle(item_id: int, **columns: object) -> None:
    db.session.execute(
        update(PoolWait).where(PoolWait.item_id == item_id).values(columns),
        execution_options={"synchronize_session": False},
    )


def _waits() -> Any:
    """Who waits, with what says whether that makes sense any more."""
    return (
        select(
            PoolWait.item_id,
            PoolWait.missing,
            PoolWait.in_parts,
            Item.refunded_at,
            Order.status,
            Fulfilment.state,
        )
        .join(Item, Item.id == PoolWait.item_id)
        .join(Order, Order.id == Item.order_id)
        .outerjoin(Fulfilment, Fulfilment.item_id == PoolWait.item_id)
    )


def _is_pointless(wait: Row[*tuple[Any, ...]]) -> bool:
    return (
        wait.refunded_at is not None
        or wait.status is not OrderStatus.PAID
        or wait.state in (None, FulfilmentState.DONE)
    )
