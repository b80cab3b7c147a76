"""How often something was tried, counted in the database, so that it holds for all processes.

Each count is a transaction of its own, so that it stays when the request fails.
"""

import time
from typing import Any

from limits.storage import Storage
from sqlalchemy import Float, Integer, String, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Model, db


class RateLimit(Model):
    """How often something was tried, and until when (Unix seconds) that counts."""

    __tablename__ = "rate_limits"

    key: Mapped[str] = mapped_column(String(400), primary_key=True)
    tries: Mapped[int] = mapped_column(Integer)
    ends_at: Mapped[float] = mapped_column(Float, index=True)


class DatabaseStorage(Storage):
    """Counters for the `limits` library in the portal's own database.

    It keeps them in memory, Redis, Memcached or MongoDB; Keydesk has none of these to offer that
    several processes would share.
    """

    STORAGE_SCHEME = ["keydesk"]  # noqa: RUF012 - as its base class declares it

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now, first = time.time(), max(amount, 0)
        dialect: Any = sqlite if db.engine.dialect.name == "sqlite" else postgresql
        fresh = {"tries": first, "ends_at": now + expiry}
        insert = dialect.insert(RateLimit).values(key=key, **fresh)
        over = RateLimit.ends_at <= now
        counted = insert.on_conflict_do_update(
            index_elements=[RateLimit.key],
            set_={
                "tries": db.case((over, first), else_=RateLimit.tries + amount),
                "ends_at": db.case((over, now + expiry), else_=RateLimit.ends_at),
            },
        ).returning(RateLimit.tries)
        with db.engine.begin() as connection:
            connection.execute(delete(RateLimit).where(RateLimit.ends_at < now - 3600))
            return int(connection.execute(counted).scalar_one())

    def get(self, key: str) -> int:
        query = select(RateLimit.tries).where(RateLimit.key == key, RateLimit.ends_at > time.time())
        with db.engine.connect() as connection:
            return connection.execute(query).scalar() or 0

    def get_expiry(self, key: str) -> float:
        query = select(RateLimit.ends_at).where(RateLimit.key == key)
        with db.engine.connect() as connection:
            return connection.execute(query).scalar() or time.time()

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with db.engine.begin() as connection:
            return connection.execute(delete(RateLimit)).rowcount

    def clear(self, key: str) -> None:
        with db.engine.begin() as connection:
            connection.execute(delete(RateLimit).where(RateLimit.key == key))
