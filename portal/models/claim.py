"""A worker's claim to an item: who is at work on it, how often it was tried and what went wrong,
and when it is tried again. portal/fulfilment/worklist.py gives claims out."""

from datetime import datetime, timedelta

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.database.types import UTCDateTime, words
from portal.fulfilment.answer import Failure
from portal.models.fulfilment_state import FulfilmentState

# Which claim somebody has. What began anew counts its claims anew, and is another one all the same.
Attempt = tuple[datetime | None, int]

# What has to wait for somebody has failed nobody: the time in which it may fail begins after that.
PATIENCE_ANEW = {"started_at": None, "attempts": 0}

# What has been due for so long has no worker that could take it up.
NOBODY_COMES = timedelta(minutes=5)


class Claim:
    """`due_at` is when the worker tries (again), or while one is at work, when its claim runs out;
    None where it is over, or a person or the stock of a pool has to come first. `attempts` counts
    the claims since `started_at`. `failure` is a word of portal.fulfilment.answer.Failure."""

    state: Mapped[FulfilmentState] = mapped_column(
        words(FulfilmentState), default=FulfilmentState.WAITING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claimed_by: Mapped[str | None] = mapped_column(String(255))
    failure: Mapped[str | None] = mapped_column(String(32))
    detail: Mapped[str | None] = mapped_column(String(500))

    @property
    def is_due(self) -> bool:
        """Whether the worker is to look at it by now."""
        return self.due_at is not None and self.due_at <= clock.now()

    @property
    def awaits_worker(self) -> bool:
        """Whether a worker is to take it up now."""
        return self.state is not FulfilmentState.WORKING and self.is_due

    @property
    def is_overdue(self) -> bool:
        """Whether it is due for so long that no worker seems to come."""
        return self.awaits_worker and bool(self.due_at and self.due_at + NOBODY_COMES < clock.now())

    @property
    def awaits_staff(self) -> bool:
        """Whether it waits for the vendor's staff to enter its licenses."""
        return (self.state, self.failure) == (FulfilmentState.WAITING, Failure.LICENSE_AWAITED)

    @property
    def attempt(self) -> Attempt:
        """The claim that somebody has now, or had last."""
        return self.started_at, self.attempts

    def is_at(self, attempt: Attempt) -> bool:
        """Whether nobody has taken this over since that attempt was begun."""
        return self.state is FulfilmentState.WORKING and self.attempt == attempt

    def put_back(self, until: datetime, because: Failure | None = None) -> None:
        """Give a claim back: the tool is not asked before `until`. What is known of former attempts
        stays, and `because` is what there is to say where nothing is."""
        self.attempts -= 1
        self.due_at, self.claimed_by = until, None
        tried = bool(self.attempts and self.failure)
        self.state = FulfilmentState.RETRYING if tried else FulfilmentState.WAITING
        if not tried:
            self.failure, self.detail = because, None

    def _make_due(self) -> None:
        self.due_at = clock.now()
        self._have_patience_anew()

    def _have_patience_anew(self) -> None:
        for name, value in PATIENCE_ANEW.items():
            setattr(self, name, value)
