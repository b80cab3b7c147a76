"""An item takes licenses of a pool, oldest first, or waits for them.

Whoever takes has the pool's row locked, for some milliseconds: so the oldest free license is known
by its place in its upload and need not be looked for among those that were used, the count of the
free ones is exact, and who has to wait is written down before anybody can fill the pool.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, exists, select, update

from portal import clock
from portal.database.statements import insert_unless_there
from portal.extensions import db
from portal.models.item import Item
from portal.models.license import License
from portal.models.order import Order
from portal.models.pool import Pool
from portal.models.pool_license import PoolLicense, PoolWait
from portal.models.pool_upload import PoolUpload, UploadState

TakenRow = Row[*tuple[Any, ...]]


COLUMNS = (
    PoolLicense.id,
    PoolLicense.upload_id,
    PoolLicense.position,
    PoolLicense.sealed,
    PoolLicense.pool_id,
)


@dataclass(frozen=True)
class Taken:
    """The licenses that were given out, and how many are free after that, if anybody counted."""

    licenses: Sequence[TakenRow] = ()
    left: int | None = None


@dataclass(frozen=True)
class Reserved:
    """The licenses that an item has taken and not saved yet, and how many are missing beside."""

    licenses: Sequence[TakenRow]
    missing: int


def reserve(pool: Pool, item_id: int, wanted: int, *, in_parts: bool) -> Reserved:
    """Take what `item_id` needs to have `wanted` licenses that it has not saved yet, and commit.

    What it took before it crashed counts, and is written down, so that it is found again where
    nobody comes for it. What there is too few of stays missing, and the item waits; with
    `in_parts`, it asks again as soon as something comes. Who waits longer comes first.
    """
    pool.lock()
    held = unsaved(item_id)
    if elsewhere := {row.pool_id for row in held} - {pool.id}:
        _give_back_elsewhere(item_id, elsewhere)
        pool.lock()
        held = unsaved(item_id)
    if surplus := [row.id for row in held[wanted:]]:
        _free(PoolLicense.id.in_(surplus))
    taken = Taken()
    if len(held) < wanted and not _others_wait(pool.id, item_id):
        taken = take(pool.id, item_id, wanted - len(held))
    held = [*held[:wanted], *taken.licenses]
    missing = wanted - len(held)
    _write_down(pool.id, item_id, missing, in_parts=in_parts)
    pool.look_at_stock(taken.left)
    db.session.commit()
    return Reserved(held, missing)


def take(pool_id: int, item_id: int, quantity: int) -> "Taken":
    """Give up to `quantity` of the oldest free licenses to an item. The pool is locked."""
    taken: list[TakenRow] = []
    stocked = (
        select(PoolUpload.id, PoolUpload.free, PoolUpload.next_position)
        .where(
            PoolUpload.pool_id == pool_id,
            PoolUpload.state == UploadState.PUBLISHED,
            PoolUpload.free > 0,
        )
        .order_by(PoolUpload.id)
    )
    left = 0
    for upload in db.session.execute(stocked).all():
        left += upload.free
        if len(taken) < quantity:
            found = _take_from(upload, item_id, quantity - len(taken))
            taken += found
            left -= len(found)
    return Taken(taken, left)


def _take_from(upload: Row[*tuple[Any, ...]], item_id: int, quantity: int) -> Sequence[TakenRow]:
    free: Any = (
        select(PoolLicense.id)
        .where(
            PoolLicense.upload_id == upload.id,
            PoolLicense.item_id.is_(None),
            PoolLicense.position >= upload.next_position,
        )
        .order_by(PoolLicense.position)
        .limit(quantity)
    )
    taking = (
        update(PoolLicense)
        .where(PoolLicense.id.in_(free.scalar_subquery()))
        .values(item_id=item_id, taken_at=clock.now())
        .returning(*COLUMNS)
    )
    rows = db.session.execute(taking, execution_options={"synchronize_session": False}).all()
    # Should there be fewer than counted, then none is left: nobody comes by in vain again.
    left = upload.free - len(rows) if len(rows) == quantity else 0
    following = max((row.position for row in rows), default=upload.next_position - 1) + 1
    _update_upload(upload.id, free=left, next_position=following)
    return sorted(rows, key=lambda row: row.position)


def unsaved(item_id: int) -> Sequence[TakenRow]:
    """What an item has taken and not saved yet, in the order in which it took them."""
    query = (
        select(*COLUMNS)
        .where(PoolLicense.item_id == item_id, is_unsaved())
        .order_by(PoolLicense.upload_id, PoolLicense.position)
    )
    return db.session.execute(query).all()


def is_unsaved() -> ColumnElement[bool]:
    """The condition that no order has it, even if an item has taken it."""
    return ~exists().where(License.pool_license_id == PoolLicense.id)


def give_back(pool_id: int, item_ids: Sequence[int]) -> None:
    """Free what items have taken of a pool and not saved, and have them wait no longer. The pool is
    locked, and nobody is at work on the items."""
    theirs = (PoolLicense.item_id.in_(item_ids), PoolLicense.pool_id == pool_id)
    _free(and_(*theirs, is_unsaved()))
    db.session.execute(db.delete(PoolWait).where(PoolWait.item_id.in_(item_ids)))


def _free(those: ColumnElement[bool]) -> None:
    freeing = (
        update(PoolLicense)
        .where(those)
        .values(item_id=None, taken_at=None)
        .returning(PoolLicense.upload_id, PoolLicense.position)
    )
    freed = defaultdict[int, list[int]](list)
    options = {"synchronize_session": False}
    for upload_id, position in db.session.execute(freeing, execution_options=options):
        freed[upload_id].append(position)
    following: Any = PoolUpload.next_position
    for upload_id, positions in freed.items():
        first = min(positions)
        columns = {
            "free": PoolUpload.free + len(positions),
            "next_position": case((following > first, first), else_=following),
        }
        _update_upload(upload_id, **columns)


def _give_back_elsewhere(item_id: int, pool_ids: set[int]) -> None:
    """Free what the item took from other pools, before its product was given this one."""
    db.session.commit()  # nobody holds two pools at once
    for pool_id in pool_ids:
        db.session.get_one(Pool, pool_id).lock()
        give_back(pool_id, [item_id])
        db.session.commit()


def _update_upload(upload_id: int, **columns: object) -> None:
    db.session.execute(
        update(PoolUpload).where(PoolUpload.id == upload_id).values(columns),
        execution_options={"synchronize_session": False},
    )


def _others_wait(pool_id: int, item_id: int) -> bool:
    """Whether other items are short of licenses: what is free is for them, oldest first, and
    whoever fills the pool is about to give it to them."""
    others = exists().where(
        PoolWait.pool_id == pool_id, PoolWait.missing > 0, PoolWait.item_id != item_id
    )
    return bool(db.session.scalar(select(others)))


def _write_down(pool_id: int, item_id: int, missing: int, *, in_parts: bool) -> None:
    ordered_at = select(Order.created_at).join(Order.items).where(Item.id == item_id)
    row = {
        "item_id": item_id,
        "pool_id": pool_id,
        "ordered_at": db.session.scalars(ordered_at).one(),
        "missing": missing,
        "in_parts": in_parts,
        "is_ready": not missing,
    }
    insert_unless_there(db.session(), PoolWait, [row])
    db.session.execute(
        update(PoolWait).where(PoolWait.item_id == item_id).values(row),
        execution_options={"synchronize_session": False},
    )
