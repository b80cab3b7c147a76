"""A list of licenses, uploaded beforehand, from which items take the next unused one."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.database import BigId, UTCDateTime
from portal.extensions import Model, db

if TYPE_CHECKING:
    from portal.models.staff import Staff


class Pool(Model):
    """`threshold` is the stock at which `warn_to` is mailed, once until the pool is filled again:
    `warned_at` is when."""

    __tablename__ = "pools"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200), unique=True)
    threshold: Mapped[int] = mapped_column(default=0)
    warn_to: Mapped[str | None] = mapped_column(String(254))
    warned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=clock.now)


class PoolUpload(Model):
    """What was uploaded in one go, and can be taken back whole while nothing of it was used."""

    __tablename__ = "pool_uploads"
    __table_args__ = (Index(None, "pool_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    file_name: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=clock.now)

    pool: Mapped["Pool"] = relationship()
    by: Mapped["Staff | None"] = relationship()


class PoolLicense(Model):
    """One license of a pool, sealed like any other. It is free until it has an item, and it never
    becomes free again."""

    __tablename__ = "pool_licenses"
    __table_args__ = (
        UniqueConstraint("pool_id", "digest"),
        # Holds the free ones alone: what was used is not walked past.
        Index(
            "ix_pool_licenses_free",
            "pool_id",
            "id",
            sqlite_where=db.text("item_id IS NULL"),
            postgresql_where=db.text("item_id IS NULL"),
        ),
        Index("ix_pool_licenses_item_id", "item_id"),
        Index(None, "upload_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"))
    upload_id: Mapped[int] = mapped_column(ForeignKey("pool_uploads.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))
    taken_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
