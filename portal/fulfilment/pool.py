"""Takes the oldest free licenses of a list that was uploaded beforehand."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy import select, update

from portal import clock
from portal.extensions import db
from portal.fulfilment.answer import Answer, Failure, LicenseRequest, Licenses, Waits
from portal.models.pool import PoolLicense
from portal.vault import vault


class Settings(BaseModel):
    """`pool_id` is the pool; with `send_what_is_there`, the customer does not wait for the rest."""

    pool_id: int
    send_what_is_there: bool = False


def obtain(request: LicenseRequest, settings: Settings) -> Answer:
    """The licenses of this item: those it has taken before, and as many more as it needs."""
    taken = _taken(request.item_id)
    missing = request.quantity - len(taken)
    if missing > 0:
        _take(request.item_id, settings.pool_id, missing)
        db.session.commit()
        taken = _taken(request.item_id)
    if len(taken) < request.quantity:
        return Waits(Failure.POOL_EMPTY, f"{request.quantity - len(taken)}")
    safe = vault()
    texts = [safe.open(row.sealed, place(row.pool_id, row.digest)) for row in taken]
    return Licenses(texts, [row.id for row in taken])


def place(pool_id: int, digest: bytes) -> str:
    """Where the text of a license in a pool is sealed for."""
    return f"pool:{pool_id}:{digest.hex()}"


def _taken(item_id: int) -> list[PoolLicense]:
    query = select(PoolLicense).filter_by(item_id=item_id).order_by(PoolLicense.id)
    return list(db.session.scalars(query))


def _take(item_id: int, pool_id: int, quantity: int) -> None:
    """One statement: two workers never get the same row. PostgreSQL skips what another one is
    taking; on SQLite this one holds the only write lock."""
    free: Any = (
        select(PoolLicense.id)
        .where(PoolLicense.pool_id == pool_id, PoolLicense.item_id.is_(None))
        .order_by(PoolLicense.id)
        .limit(quantity)
        .with_for_update(skip_locked=True)
    )
    db.session.execute(
        update(PoolLicense)
        .where(PoolLicense.id.in_(free.scalar_subquery()))
        .values(item_id=item_id, taken_at=clock.now())
        .execution_options(synchronize_session=False)
    )
