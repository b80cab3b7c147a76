"""An e-mail to the vendor: written down first and sent by the worker, as a delivery is."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock, retries
from portal.database.types import BigId, UTCDateTime, words
from portal.envelope import new_message_id
from portal.extensions import Model, db
from portal.models.history import HistoryEntry, What
from portal.retries import LOST_AFTER
from portal.smtp import Failure, Outcome

if TYPE_CHECKING:
    from portal.models.item import Item
    from portal.models.pool import Pool


class NoticeKind(StrEnum):
    """What the vendor is told; the mail is that of templates/emails/notice_<kind>/."""

    LICENSE_NEEDED = "license_needed"
    FULFILMENT_FAILED = "fulfilment_failed"
    POOL_LOW = "pool_low"


class Notice(Model):
    """What the vendor is told: of an item that needs a license or failed, or of a pool that runs
    low. `due_at` is when it is to be sent (again), or while it is being sent, when its sender must
    be gone; None once it is over. `attempts` is how often it was tried so far, first at
    `started_at`, and `may_have_left` whether the mail server may have taken one of them although it
    did not say so. `failure` is a word of smtp.Failure: what the last try failed for, None while it
    is being sent."""

    __tablename__ = "notices"
    __table_args__ = (
        Index(
            "ix_notices_due",
            "due_at",
            sqlite_where=db.text("due_at IS NOT NULL"),
            postgresql_where=db.text("due_at IS NOT NULL"),
        ),
        Index(None, "item_id"),
        Index(
            "ix_notices_pool_id",
            "pool_id",
            sqlite_where=db.text("pool_id IS NOT NULL"),
            postgresql_where=db.text("pool_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[NoticeKind] = mapped_column(words(NoticeKind))
    to: Mapped[str] = mapped_column("to_address", String(254))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"))
    pool_id: Mapped[int | None] = mapped_column(ForeignKey("pools.id", ondelete="CASCADE"))
    message_id: Mapped[str] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    may_have_left: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failure: Mapped[str | None] = mapped_column(String(32))

    item: Mapped["Item | None"] = relationship()
    pool: Mapped["Pool | None"] = relationship()

    @classmethod
    def write(
        cls,
        kind: NoticeKind,
        to: str | None,
        *,
        item: "Item | None" = None,
        pool: "Pool | None" = None,
    ) -> "Notice | None":
        """Write one down, to be sent by the worker; None where nobody is to be told."""
        if not to:
            return None
        notice = cls(
            kind=kind,
            to=to,
            item=item,
            pool=pool,
            message_id=new_message_id(),
            created_at=clock.now(),
            due_at=clock.now(),
        )
        db.session.add(notice)
        return notice

    @classmethod
    def claim(cls, notice_id: int) -> "Notice | None":
        """The notice, if it is to be sent now. Commit before you send it: who comes second finds
        nothing due."""
        notice = db.session.get(cls, notice_id)
        if notice is None:
            return None
        notice.lock()
        if notice.due_at is None or notice.due_at > clock.now():
            return None
        if notice.item and notice.item.fulfilment_refusal():  # somebody was quicker, or it is over
            notice.due_at = None
            return None
        notice._begin()
        return notice

    @classmethod
    def put_off(cls, notice_id: int) -> None:
        """Try a notice later whose claim broke down: over its order, perhaps, which is not asked
        for here."""
        notice = db.session.get(cls, notice_id, with_for_update=True, populate_existing=True)
        if notice and notice.due_at and notice.due_at <= clock.now():
            notice._begin()
            notice.settle(Outcome(False, Failure.UNEXPECTED))

    def _begin(self) -> None:
        if self.attempts and self.failure is None:  # whoever was at it has not lived to say
            self.may_have_left = True
        self.failure = None
        self.due_at = clock.now() + LOST_AFTER
        self.started_at = self.started_at or clock.now()
        self.attempts += 1

    @classmethod
    def let_wait(cls, notice_id: int, until: datetime) -> None:
        """Have a notice that is due wait its turn `until` then, and commit."""
        db.session.execute(
            db.update(cls)
            .where(cls.id == notice_id, cls.due_at <= clock.now())
            .values(due_at=until)
            .execution_options(synchronize_session=False)
        )
        db.session.commit()

    def is_at(self, attempt: int) -> bool:
        """Whether nobody has taken this over since that attempt was begun."""
        return self.due_at is not None and self.attempts == attempt

    def settle(self, outcome: Outcome) -> None:
        """Write down what the mail server made of it. One that may have arrived is sent again:
        better twice than never."""
        self.failure, self.due_at = outcome.failure, None
        self.may_have_left |= outcome.accepted is None
        if outcome.accepted:
            self.sent_at = clock.now()
        elif outcome.accepted is None or outcome.is_temporary or outcome.is_ours:
            self.due_at = retries.next_try(self.attempts, self.started_at or clock.now())
        if self.item and self.due_at is None:
            not_told = What.VENDOR_UNKNOWN if self.may_have_left else What.VENDOR_NOT_TOLD
            what = What.VENDOR_TOLD if outcome.accepted else not_told
            db.session.add(
                HistoryEntry(
                    order_id=self.item.order_id,
                    what=what,
                    at=clock.now(),
                    to=self.to,
                    failure=self.failure,
                    answer=outcome.answer,
                )
            )

    @property
    def has_failed(self) -> bool:
        """Whether it is over and did not arrive."""
        return self.failure is not None and self.due_at is None

    @classmethod
    def newest_of(cls, pool: "Pool") -> "Notice | None":
        """The one that was written last of a pool that runs low."""
        query = db.select(cls).where(cls.pool_id == pool.id).order_by(cls.id.desc()).limit(1)
        return db.session.scalars(query).one_or_none()

    def lock(self) -> None:
        """Keep everybody else from changing this until the transaction ends, and see it anew."""
        if self.item:
            self.item.order.lock()
        else:
            db.session.execute(db.select(Notice.id).filter_by(id=self.id).with_for_update())
            db.session.expire_all()

    @classmethod
    def due(cls, limit: int) -> list[int]:
        """The ids of what is to be sent by now, what waits longest first."""
        query = db.select(cls.id).where(cls.due_at <= clock.now()).order_by(cls.due_at)
        return list(db.session.scalars(query.limit(limit)))
