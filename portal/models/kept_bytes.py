"""How much of what a checkout page sent is kept: so much in a day, and no more.

Whoever holds the secret of one page could fill the disk with messages otherwise, and with SQLite a
full disk stops everybody.
"""

from datetime import date
from typing import Any

from flask import current_app
from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.extensions import Model, db

MEBIBYTE = 1024 * 1024


class KeptBytes(Model):
    """What was kept of one checkout page on the last day on which something was, in UTC."""

    __tablename__ = "kept_bytes"

    checkout_page_id: Mapped[int] = mapped_column(ForeignKey("checkout_pages.id"), primary_key=True)
    day: Mapped[date]
    bytes: Mapped[int] = mapped_column(BigInteger)

    @classmethod
    def have_room(cls, page_id: int, size: int) -> bool:
        """Whether so many bytes more may be kept of this page today; they are counted then.

        Others of the page wait from here on until the transaction ends.
        """
        dialect: Any = sqlite if db.engine.dialect.name == "sqlite" else postgresql
        insert = dialect.insert(cls).values(
            checkout_page_id=page_id, day=clock.now().date(), bytes=size
        )
        another_day = cls.day != insert.excluded.day
        more = insert.excluded.bytes
        total = db.case((another_day, more), else_=cls.bytes + more)
        counted = insert.on_conflict_do_update(
            index_elements=[cls.checkout_page_id],
            set_={"bytes": total, "day": insert.excluded.day},
            where=total <= current_app.config["MESSAGE_MIB_PER_DAY"] * MEBIBYTE,
        )
        return db.session.scalar(counted.returning(cls.bytes)) is not None
