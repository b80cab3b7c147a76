"""How all pools stand, in few statements."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, func, select

from portal import clock
from portal.extensions import db
from portal.models.pool import RATE_DAYS, Pool
from portal.models.pool_license import PoolLicense, PoolWait
from portal.models.pool_upload import PoolUpload, UploadState


@dataclass(frozen=True)
class Figures:
    """Licenses that are free and used, days that the free ones last, and items that wait."""

    stock: int
    used: int
    days_left: int | None
    waiting: int


def figures_of(pools: list[Pool]) -> dict[int, Figures]:
    """The figures of each of `pools`, by id."""
    stocks = {
        pool_id: (free, size - free)
        for pool_id, free, size in db.session.execute(
            select(PoolUpload.pool_id, func.sum(PoolUpload.free), func.sum(PoolUpload.size))
            .where(PoolUpload.state == UploadState.PUBLISHED)
            .group_by(PoolUpload.pool_id)
        )
    }
    since = clock.now() - timedelta(days=RATE_DAYS)
    taken = _counts(
        select(PoolLicense.pool_id, func.count())
        .where(PoolLicense.pool_id.in_(pool.id for pool in pools), PoolLicense.taken_at >= since)
        .group_by(PoolLicense.pool_id)
    )
    waiting = _counts(
        select(PoolWait.pool_id, func.count())
        .where(PoolWait.missing > 0)
        .group_by(PoolWait.pool_id)
    )
    found = {}
    for pool in pools:
        stock, used = stocks.get(pool.id, (0, 0))
        days_left = pool.lasts(stock, taken.get(pool.id, 0))
        found[pool.id] = Figures(stock, used, days_left, waiting.get(pool.id, 0))
    return found


def _counts(query: Select[int, int]) -> dict[int, int]:
    return dict(db.session.execute(query).all())
