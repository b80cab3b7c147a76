"""A list of licenses, uploaded beforehand, from which items take the next unused one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import floor
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import SQLColumnExpression, String, func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.database.types import UTCDateTime
from portal.extensions import Model, db
from portal.models.change import Change
from portal.models.notice import Notice, NoticeKind
from portal.models.page_settings import ADDRESS_LENGTH
from portal.models.pool_license import PoolLicense
from portal.models.pool_settings import checked_pool
from portal.models.pool_upload import PoolUpload, UploadState
from portal.models.refusal import Refusal, Refused
from portal.models.staff import Staff
from portal.smtp import Failure

# How far one looks back for how quickly a pool is used up.
RATE_DAYS = 14

# A warning that the mail server refused is not repeated sooner.
WARNED_AGAIN_AFTER = timedelta(days=1)


class Pool(Model):
    """For what its settings mean, see PoolSettings. `warned_at` is when `warn_to` was mailed, which
    is done once until the pool is filled again."""

    __tablename__ = "pools"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200), unique=True)
    threshold: Mapped[int] = mapped_column(default=0)
    warn_to: Mapped[str | None] = mapped_column(String(ADDRESS_LENGTH))
    warned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=clock.now)

    @classmethod
    def by_title(cls, title: str) -> "Pool | None":
        """The pool of this title."""
        return db.session.scalars(db.select(cls).filter_by(title=title)).one_or_none()

    @classmethod
    def all(cls) -> "list[Pool]":
        """Every pool, by title."""
        return list(db.session.scalars(db.select(cls).order_by(cls.title, cls.id)))

    @classmethod
    def add(cls, title: str, *, by: Staff | None, **settings: Any) -> "Pool":
        """A new pool with nothing in it, for what PoolSettings has. Raises Unsound or Refused."""
        title = checked_pool({"title": title, **settings})["title"]
        pool = cls(title=title)
        with _given_once(title):
            db.session.add(pool)
        Change.note(pool, title, "title", None, title, by=by)
        pool.change(by=by, **settings)
        return pool

    def change(self, *, by: Staff | None, **settings: Any) -> None:
        """Change these settings, see PoolSettings, and note each that was. Raises Unsound or
        Refused."""
        checked = checked_pool(settings)
        self.lock()
        with _given_once(checked.get("title", self.title)):
            for field, after in checked.items():
                Change.note(self, self.title, field, getattr(self, field), after, by=by)
                setattr(self, field, after)
        if self.stock or self.used:  # nobody is warned of one that was never filled
            self.look_at_stock()

    def lock(self) -> None:
        """Be the only one that takes from this pool or fills it, until the transaction ends.

        Not so exclusive that a new row could not refer to the pool. SQLite locked when the
        transaction began, see sqlite.py.
        """
        db.session.refresh(self, with_for_update={"key_share": True})

    @property
    def stock(self) -> int:
        """How many licenses are free."""
        return self._total(PoolUpload.free)

    @property
    def used(self) -> int:
        """How many licenses items have taken."""
        return self._total(PoolUpload.size - PoolUpload.free)

    def _total(self, what: SQLColumnExpression[int]) -> int:
        query = db.select(func.coalesce(func.sum(what), 0)).where(
            PoolUpload.pool_id == self.id, PoolUpload.state == UploadState.PUBLISHED
        )
        return db.session.scalars(query).one()

    @property
    def days_left(self) -> int | None:
        """For how many days the stock lasts at the rate of the last RATE_DAYS, or since the pool
        was made where that is less; None where nothing was taken."""
        since = clock.now() - timedelta(days=RATE_DAYS)
        query = db.select(func.count()).where(
            PoolLicense.pool_id == self.id, PoolLicense.taken_at >= since
        )
        return self.lasts(self.stock, db.session.scalars(query).one())

    def lasts(self, stock: int, taken: int) -> int | None:
        """For how many days `stock` lasts where `taken` were taken lately, see `days_left`."""
        if not taken:
            return None
        passed = (clock.now() - self.created_at) / timedelta(days=1)
        return floor(stock * min(max(passed, 1.0), RATE_DAYS) / taken)

    def look_at_stock(self, stock: int | None = None) -> None:
        """Have the vendor told once when the stock has fallen to the threshold. Lock before;
        `stock` spares to count it again."""
        if (self.stock if stock is None else stock) > self.threshold:
            self.warned_at = None
        elif self._is_to_be_warned and Notice.write(
            NoticeKind.POOL_LOW, to=self.warn_to, pool=self
        ):
            self.warned_at = clock.now()

    @property
    def _is_to_be_warned(self) -> bool:
        """Whether nobody knows yet that it runs low. What the mail server refused goes again after
        a while, or as soon as somebody else is to be told."""
        if self.warned_at is None:
            return True
        last = Notice.newest_of(self)
        if last is None or not last.has_failed:
            return False
        return last.to != self.warn_to or last.created_at < clock.now() - WARNED_AGAIN_AFTER

    @property
    def warning_refusal(self) -> Refusal | None:
        """Why nobody knows that it runs low although somebody was to be warned, or None."""
        last = Notice.newest_of(self) if self.warned_at else None
        if not (last and last.has_failed and last.failure):
            return None
        return Refusal(
            "warning_failed",
            _(
                "The e-mail to %(address)s did not arrive: %(reason)s",
                address=last.to,
                reason=Failure(last.failure).what,
            ),
            _("Check the address. As long as the pool runs low, it is tried again once a day."),
        )


@contextmanager
def _given_once(title: str) -> Iterator[None]:
    """What is done to a pool within this is done as a whole, unless another pool has `title`, which
    somebody may be giving at the same time: the database knows. Raises Refused."""
    try:
        with db.session.begin_nested():
            yield
    except IntegrityError:
        raise Refused(
            Refusal(
                "title_taken",
                _("There is a pool “%(title)s” already.", title=title),
                _("Choose another title."),
            )
        ) from None
