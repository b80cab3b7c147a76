"""What was uploaded to a pool in one go: read and looked at first, then confirmed whole."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.database.types import UTCDateTime, words
from portal.extensions import Model, db
from portal.models.refusal import Refusal, Refused
from portal.processes import is_gone

if TYPE_CHECKING:
    from portal.models.pool import Pool
    from portal.models.staff import Staff

# An upload that nobody confirmed is forgotten then, and one that stopped being read is lost.
WAITS_FOR = timedelta(days=1)
LOST_AFTER = timedelta(minutes=10)


class UploadState(StrEnum):
    """reading → read → published → taken back; or discarded before it was published."""

    READING = "reading"
    READ = "read"
    PUBLISHED = "published"
    TAKEN_BACK = "taken_back"
    DISCARDED = "discarded"


PENDING = (UploadState.READING, UploadState.READ)
OVER = (UploadState.TAKEN_BACK, UploadState.DISCARDED)


class PoolUpload(Model):
    """Its licenses can be taken once it is published, and not a moment earlier, so that one that
    was broken off leaves nothing that could be used. It holds `size` licenses, of which `free` are
    left; all of them that stand before `next_position` are used. What was sold is left out, as far
    as the license of the id `sold_until`. `report` is what was found in the
    file, see portal/pools/findings.py; `reader` is the process that reads it, and `read_at` when it
    last got on. `is_cleared` is whether the licenses of one that is over are gone."""

    __tablename__ = "pool_uploads"
    __table_args__ = (
        Index(None, "pool_id"),
        # Two that are read at the same time would not see what they have in common.
        Index(
            "ix_pool_uploads_pending",
            "pool_id",
            unique=True,
            sqlite_where=db.text("state IN ('reading', 'read')"),
            postgresql_where=db.text("state IN ('reading', 'read')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    file_name: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=clock.now)
    state: Mapped[UploadState] = mapped_column(words(UploadState), default=UploadState.READING)
    size: Mapped[int] = mapped_column(default=0)
    free: Mapped[int] = mapped_column(default=0)
    next_position: Mapped[int] = mapped_column(default=1)
    sold_until: Mapped[int] = mapped_column(BigInteger, default=0)
    report: Mapped[str | None] = mapped_column(Text)
    complaint: Mapped[str | None] = mapped_column(String(500))
    reader: Mapped[str | None] = mapped_column(String(255))
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # In hundredths of the file, for who waits before the page.
    read_percent: Mapped[int] = mapped_column(default=0)
    is_cleared: Mapped[bool] = mapped_column(default=False)

    pool: Mapped["Pool"] = relationship()
    by: Mapped["Staff | None"] = relationship(lazy="select")

    @classmethod
    def of(cls, pool: "Pool") -> "list[PoolUpload]":
        """The uploads of a pool that were published, newest first, those taken back among them."""
        shown = (UploadState.PUBLISHED, UploadState.TAKEN_BACK)
        query = (
            db.select(cls)
            .where(cls.pool_id == pool.id, cls.state.in_(shown))
            .order_by(cls.id.desc())
            .limit(100)
        )
        return list(db.session.scalars(query))

    @classmethod
    def pending(cls, pool: "Pool") -> "PoolUpload | None":
        """The upload of a pool that is read, or waits to be confirmed."""
        query = db.select(cls).where(cls.pool_id == pool.id, cls.state.in_(PENDING))
        return db.session.scalars(query).one_or_none()

    @property
    def is_lost(self) -> bool:
        """Whether it waits in vain: for a reader that is gone, or for somebody to confirm it."""
        now = clock.now()
        if self.state is UploadState.READING:
            return is_gone(self.reader or "") or now - (self.read_at or self.at) > LOST_AFTER
        return self.waits and now - self.at > WAITS_FOR

    @property
    def is_being_read(self) -> bool:
        return self.state is UploadState.READING and not self.is_lost

    @property
    def was_broken_off(self) -> bool:
        """Whether its reader is gone, and nothing was said of it yet."""
        return self.state is UploadState.READING and self.is_lost

    @property
    def waits(self) -> bool:
        """Whether it was read, for somebody to confirm it."""
        return self.state is UploadState.READ

    @property
    def is_in_pool(self) -> bool:
        """Whether it was confirmed; all of its licenses may be used by now."""
        return self.state is UploadState.PUBLISHED

    @property
    def was_taken_back(self) -> bool:
        return self.state is UploadState.TAKEN_BACK

    @property
    def was_discarded(self) -> bool:
        return self.state is UploadState.DISCARDED

    def publish_refusal(self) -> Refusal | None:
        """Why it cannot be confirmed, or None when it can."""
        if not self.waits:
            return _waits_no_more()
        if not self.size:
            return Refusal(
                "upload_empty",
                _("There is no new license in it."),
                _("Choose another file, or another way to read it."),
            )
        return None

    def take_back_refusal(self) -> Refusal | None:
        """Why it cannot be taken back, or None when it can."""
        if not self.is_in_pool:
            return Refusal(
                "upload_not_published",
                _("This upload is not in the pool."),
                _("There is nothing to take back."),
            )
        if self.free < self.size:
            return Refusal(
                "upload_used",
                _("Some of its licenses have been used."),
                _("An upload can only be taken back whole."),
            )
        return None

    def discard_refusal(self) -> Refusal | None:
        """Why it cannot be let go, or None when it can."""
        return None if self.state in PENDING else _waits_no_more()

    def discard(self) -> None:
        """Let it go before it was published. Raises Refused."""
        if refusal := self.discard_refusal():
            raise Refused(refusal)
        self.state = UploadState.DISCARDED


def _waits_no_more() -> Refusal:
    return Refusal(
        "upload_not_read",
        _("This upload is not one that waits to be confirmed."),
        _("Look at the uploads of the pool."),
    )
