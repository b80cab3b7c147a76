"""The sending of a delivery: who is at it, how often it was tried, and when it is tried again."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.database.types import UTCDateTime, words
from portal.models.delivery_status import UNDERWAY, DeliveryStatus
from portal.processes import is_gone, this_process
from portal.retries import LOST_AFTER


class Sending:
    """`due_at` is when it is to be sent (again), or while it is being sent, when its `sender` must
    be gone; None once it is over. `slot_at` is the moment that the rate of its checkout page keeps
    for it. `attempts` is how often a mail server was asked so far, first at `started_at`, and
    `may_have_left` whether it may have taken one of them although it did not say so."""

    status: Mapped[DeliveryStatus] = mapped_column(words(DeliveryStatus))
    sender: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    may_have_left: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    slot_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def is_underway(self) -> bool:
        """Whether it has no outcome yet."""
        return self.status in UNDERWAY

    @property
    def is_due(self) -> bool:
        """Whether it is to be sent by now."""
        due = self.due_at is not None and self.due_at <= clock.now()
        return due and self.status is DeliveryStatus.QUEUED

    def is_at(self, attempt: int) -> bool:
        """Whether it has no outcome, and nobody has taken it over, since that attempt was begun."""
        return self.status is DeliveryStatus.SENDING and self.attempts == attempt

    @property
    def is_lost(self) -> bool:
        """Whether nobody can be sending this any more, although no outcome was written."""
        if self.status is not DeliveryStatus.SENDING:
            return False
        return (self.due_at or self.created_at) < clock.now() or is_gone(self.sender)

    @property
    def known_status(self) -> DeliveryStatus:
        """The status, or "unknown" where nobody can be at work on it any more."""
        return DeliveryStatus.UNKNOWN if self.is_lost else self.status

    def begin(self) -> None:
        """Mark it as being sent by this process, once more."""
        self.status, self.sender = DeliveryStatus.SENDING, this_process()
        self.due_at = clock.now() + LOST_AFTER
        self.started_at = self.started_at or clock.now()
        self.attempts += 1

    def queue_anew(self) -> None:
        """Have it sent at once, as if nobody had tried before."""
        self.status, self.due_at, self.finished_at = DeliveryStatus.QUEUED, clock.now(), None
        self.attempts, self.started_at, self.may_have_left = 0, None, False
