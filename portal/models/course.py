"""What becomes of a delivery, written down in the history of its order: how it ended, and what a
person makes of it."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.database.types import BigId
from portal.extensions import db
from portal.models import delivery_words
from portal.models.contents import Contents
from portal.models.delivery_status import NOT_SENT, UNDELIVERED, DeliveryStatus
from portal.models.history import HistoryEntry, What
from portal.models.refusal import Refusal, Refused
from portal.models.staff import Staff


class Course(Contents):
    """`failure` is a word of smtp.Failure, and `answer` what the mail server said."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    failure: Mapped[str | None] = mapped_column(String(32))
    answer: Mapped[str | None] = mapped_column(Text)

    def finish(
        self,
        status: DeliveryStatus,
        *,
        failure: str | None = None,
        answer: str | None = None,
        text: str | None = None,
    ) -> None:
        """Write the outcome down, here and in the order's history; `text` is why it is withheld."""
        what = delivery_words.entry_for(self, status)
        self._end(status)
        self._note(what, failure=failure, answer=answer, text=text)

    def try_again(
        self, due_at: datetime, what: What, *, failure: str | None, answer: str | None
    ) -> None:
        """Queue it once more, for `due_at`; `what` is for the history."""
        self.status, self.due_at = DeliveryStatus.QUEUED, due_at
        self._note(what, failure=failure, answer=answer)

    def stop_refusal(self) -> Refusal | None:
        """Why it cannot be stopped, or None when it can."""
        if self.status is DeliveryStatus.QUEUED:
            return None
        if self.known_status is DeliveryStatus.SENDING:
            return Refusal(
                "sending",
                _("The e-mail is on its way, and cannot be stopped any more."),
                _("The order history will say what became of it."),
            )
        return Refusal(
            "not_queued",
            _("The e-mail is not going to be tried again."),
            _("The order history says what became of it."),
        )

    def stop(self, *, by: Staff) -> None:
        """Do not try it again: a person says so. Raises Refused."""
        self.order.lock()
        if refusal := self.stop_refusal():
            raise Refused(refusal)
        self._end(DeliveryStatus.FAILED)
        self._note(What.EMAIL_STOPPED, failure=self.failure, answer=self.answer, by=by)

    @property
    def is_undelivered(self) -> bool:
        """Whether it did not arrive, as far as anybody knows, and has no license that could be
        resent by itself."""
        return self.status in UNDELIVERED and not self.licenses

    def repeat_refusal(self) -> Refusal | None:
        """Why it cannot be sent once more, or None when it can."""
        if self.is_undelivered:
            return self.refusal()
        return Refusal(
            "not_undelivered",
            _("The e-mail is under way, or was sent."),
            _("The order history says what became of it."),
        )

    def repeat(self, *, by: Staff) -> None:
        """Queue it once more, because a person says so. Raises Refused."""
        self.order.lock()
        if refusal := self.repeat_refusal():
            raise Refused(refusal)
        self.follow()
        self.queue_anew()
        self._note(What.EMAIL_REPEATED, failure=None, answer=None, by=by)

    def come_back(self, *, answer: str | None) -> None:
        """A mail server that had accepted it has given up since; `answer` is why. Nothing happens
        where that is known. What was to be sent again is not: the address does not take it."""
        if self.status is not DeliveryStatus.BOUNCED:
            self.finish(DeliveryStatus.BOUNCED, answer=answer)

    def _end(self, status: DeliveryStatus) -> None:
        is_unknown = self.may_have_left and status in NOT_SENT
        self.status = DeliveryStatus.UNKNOWN if is_unknown else status
        self.due_at, self.finished_at = None, clock.now()

    def _note(
        self,
        what: What,
        *,
        failure: str | None,
        answer: str | None,
        text: str | None = None,
        by: Staff | None = None,
    ) -> None:
        if not self.to:  # erased meanwhile, and the server's answer may quote it
            answer = None
        self.failure, self.answer = failure, answer
        db.session.add(
            HistoryEntry(
                order_id=self.order_id,
                what=what,
                at=clock.now(),
                by_id=by.id if by else self.by_id,
                to=self.to,
                failure=failure,
                answer=answer,
                text=text or delivery_words.about(self),
                delivery_id=self.id,
            )
        )
