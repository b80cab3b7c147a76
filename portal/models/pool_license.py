"""A license of a pool, and an item that waits for one."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.database.types import BigId, UTCDateTime
from portal.extensions import Model, db


class PoolLicense(Model):
    """One license, sealed like any other for its `position` in its upload. It is free until it has
    an item. What an item has taken and saved never becomes free again; only what was reserved for
    one that was refunded before it was saved does.

    `digest` is of the text to the letter, unlike the one of a saved license: two that differ in
    small and capital letters only are two licenses.
    """

    __tablename__ = "pool_licenses"
    __table_args__ = (
        # In this order, because a license is looked for in all pools.
        UniqueConstraint("digest", "pool_id"),
        # Holds the free ones alone. PostgreSQL leaves what was used in it for a time, which is why
        # PoolUpload.next_position says where to begin.
        Index(
            "ix_pool_licenses_free",
            "upload_id",
            "position",
            sqlite_where=db.text("item_id IS NULL"),
            postgresql_where=db.text("item_id IS NULL"),
        ),
        Index(
            "ix_pool_licenses_item_id",
            "item_id",
            sqlite_where=db.text("item_id IS NOT NULL"),
            postgresql_where=db.text("item_id IS NOT NULL"),
        ),
        Index(
            "ix_pool_licenses_taken",
            "pool_id",
            "taken_at",
            sqlite_where=db.text("taken_at IS NOT NULL"),
            postgresql_where=db.text("taken_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"))
    upload_id: Mapped[int] = mapped_column(ForeignKey("pool_uploads.id"))
    position: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))
    taken_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @staticmethod
    def place(upload_id: int, position: int) -> str:
        """Where a text is sealed for: the license numbered `position` of an upload."""
        return f"pool:{upload_id}:{position}"


class PoolWait(Model):
    """An item that has asked a pool, until it has saved all that it needs: so what is reserved for
    one that never comes for it is found. `missing` is how many licenses the pool has too few for
    it. The oldest order is served first. It `is_ready` once the item should ask again: nothing is
    missing, or with `in_parts` something has come."""

    __tablename__ = "pool_waits"
    __table_args__ = (
        Index(
            "ix_pool_waits_open",
            "pool_id",
            "ordered_at",
            "item_id",
            sqlite_where=db.text("missing > 0"),
            postgresql_where=db.text("missing > 0"),
        ),
        Index(
            "ix_pool_waits_ready",
            "pool_id",
            sqlite_where=db.text("is_ready"),
            postgresql_where=db.text("is_ready"),
        ),
    )

    item_id: Mapped[int] = mapped_column(
        ForeignKey("items.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"))
    ordered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    missing: Mapped[int]
    in_parts: Mapped[bool] = mapped_column(default=False)
    is_ready: Mapped[bool] = mapped_column(default=False)

    @classmethod
    def missing_for(cls, item_id: int) -> int | None:
        """How many the pool has too few for an item, beyond what is reserved for it; None when it
        has not asked one yet."""
        return db.session.scalar(db.select(cls.missing).filter_by(item_id=item_id))

    @classmethod
    def end(cls, item_id: int) -> None:
        """An item has saved all that it needed."""
        db.session.execute(db.delete(cls).where(cls.item_id == item_id))

    @classmethod
    def is_over(cls, item_id: int) -> bool:
        """Whether an item that had to wait need not any more; until the transaction ends, nobody
        changes that. Asked by who is about to write down that it waits."""
        query = db.select(cls.is_ready).where(cls.item_id == item_id).with_for_update()
        return bool(db.session.scalars(query).one_or_none())
