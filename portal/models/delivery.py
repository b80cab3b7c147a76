"""One e-mail carrying licenses to one address.

    queued → sending → sent, failed, or unknown
      ↑         ↓
      ←←←←←←←←←←          … or withheld, when the rule refused it before it went

and later perhaps bounced, when the mail that was accepted came back.

It is written down before it is attempted, so that a crash leaves a trace, and its outcome is
written after. `unknown` is the honest word for a mail that was on its way when we lost sight of it.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import Column, ForeignKey, Index, Select, String, Table, Text, bindparam
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship, selectinload

from portal import clock, smtp
from portal.database import BigId, UTCDateTime, words
from portal.envelope import new_message_id
from portal.extensions import Model, db
from portal.formats import clock_time
from portal.models.history import HistoryEntry, What
from portal.models.refusal import Refusal, Refused
from portal.models.staff import Staff
from portal.models.text import ProductText
from portal.processes import is_gone, this_process
from portal.retries import LOST_AFTER

if TYPE_CHECKING:
    from portal.models.item import Item
    from portal.models.license import License
    from portal.models.order import Order

delivery_licenses = Table(
    "delivery_licenses",
    Model.metadata,
    Column("delivery_id", ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("license_id", ForeignKey("licenses.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_delivery_licenses_license_id", "license_id", "delivery_id"),
)


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"
    BOUNCED = "bounced"


ENTRIES = {
    DeliveryStatus.SENT: What.EMAIL_SENT,
    DeliveryStatus.FAILED: What.EMAIL_NOT_SENT,
    DeliveryStatus.UNKNOWN: What.EMAIL_UNKNOWN,
    DeliveryStatus.WITHHELD: What.EMAIL_WITHHELD,
    DeliveryStatus.QUEUED: What.EMAIL_RETRIES,
    DeliveryStatus.BOUNCED: What.EMAIL_BOUNCED,
}


# Without an outcome yet.
UNDERWAY = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)
# With an outcome, and not with the customer as far as anybody knows.
UNDELIVERED = (
    DeliveryStatus.FAILED,
    DeliveryStatus.UNKNOWN,
    DeliveryStatus.WITHHELD,
    DeliveryStatus.BOUNCED,
)


class Delivery(Model):
    """`due_at` is when it is to be sent (again), or while it is being sent, when its `sender` must
    be gone; None once it is over. `slot_at` is the moment that the rate of its checkout page keeps
    for it. `attempts` is how often a mail server was asked so far, first at `started_at`."""

    __tablename__ = "deliveries"
    __table_args__ = (
        # The few that are under way among the many that are over; outbox.py.
        Index(
            "ix_deliveries_due",
            "due_at",
            sqlite_where=db.text("due_at IS NOT NULL"),
            postgresql_where=db.text("due_at IS NOT NULL"),
        ),
        Index(None, "order_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"))
    status: Mapped[DeliveryStatus] = mapped_column(words(DeliveryStatus))
    to: Mapped[str] = mapped_column("to_address", String(254))
    locale: Mapped[str] = mapped_column(String(16))
    text_version: Mapped[str] = mapped_column(String(32))
    # One confirmation gives one delivery: the database says no to the second.
    token: Mapped[str] = mapped_column(String(64), unique=True)
    message_id: Mapped[str] = mapped_column(String(255), unique=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    sender: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    slot_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failure: Mapped[str | None] = mapped_column(String(32))
    answer: Mapped[str | None] = mapped_column(Text)

    item: Mapped["Item | None"] = relationship()
    order: Mapped["Order"] = relationship(back_populates="deliveries")
    by: Mapped["Staff | None"] = relationship()
    licenses: Mapped[list["License"]] = relationship(
        secondary=delivery_licenses, order_by="License.id"
    )

    @classmethod
    def of(
        cls,
        order: "Order",
        licenses: Sequence["License"],
        *,
        by: "Staff | None",
        token: str,
        item: "Item | None" = None,
    ) -> "Delivery":
        """A delivery of `licenses`, or of what there is to say about `item`, to the customer of
        `order`, about to be sent by this process."""
        item = item or licenses[0].item
        return cls(
            order=order,
            item=item,
            licenses=list(licenses),
            status=DeliveryStatus.SENDING,
            to=order.email or "",
            locale=order.locale,
            text_version=ProductText.version_for(item, order.locale),
            token=token,
            message_id=new_message_id(order.checkout_page),
            by=by,
            sender=this_process(),
            created_at=clock.now(),
            attempts=1,
            started_at=clock.now(),
            due_at=clock.now() + LOST_AFTER,
        )

    @classmethod
    def automatic(cls, item: "Item", licenses: Sequence["License"], *, token: str) -> "Delivery":
        """The e-mail that the portal sends by itself when `item` is fulfilled, queued; once for
        each `token`. Without licenses it says all there is to say itself."""
        delivery = cls.of(item.order, licenses, by=None, token=token, item=item)
        delivery.status, delivery.due_at = DeliveryStatus.QUEUED, clock.now()
        delivery.attempts, delivery.started_at = 0, None
        db.session.add(delivery)
        return delivery

    @classmethod
    def by_token(cls, token: str) -> "Delivery | None":
        """The delivery that a confirmation led to, if it did."""
        return db.session.scalars(db.select(cls).filter_by(token=token)).one_or_none()

    @classmethod
    def unsettled(cls, order: "Order") -> "list[Delivery]":
        """The deliveries of `order` that are under way, or can be repeated, newest first."""
        return list(db.session.scalars(_unsettled(), {"order_id": order.id}))

    @property
    def is_underway(self) -> bool:
        """Whether it has no outcome yet."""
        return self.status in UNDERWAY

    @property
    def is_automatic(self) -> bool:
        """Whether the portal sends this by itself, without a person who asked."""
        return self.by_id is None

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

    @property
    def outcome(self) -> str:
        """Where this delivery stands, for people."""
        if self.known_status is DeliveryStatus.SENDING:
            return _("The email containing license information is being sent to %(to)s", to=self.to)
        if self.status is DeliveryStatus.QUEUED:
            return self._next_try
        entry = self._last_entry or HistoryEntry(
            what=ENTRIES[self.known_status], to=self.to, failure=self.failure, text=self._about
        )
        return f"{entry.sentence}. {entry.reason}" if entry.reason else entry.sentence

    @property
    def is_due(self) -> bool:
        """Whether it is to be sent by now."""
        due = self.due_at is not None and self.due_at <= clock.now()
        return due and self.status is DeliveryStatus.QUEUED

    def is_at(self, attempt: int) -> bool:
        """Whether it has no outcome, and nobody has taken it over, since that attempt was begun."""
        return self.status is DeliveryStatus.SENDING and self.attempts == attempt

    def by_item(self) -> "list[tuple[Item, list[License]]]":
        """Its licenses by the items that they belong to; without any, the item that it is about."""
        if not self.licenses:
            return [(self.item, [])] if self.item else []
        return [(item, list(group)) for item, group in groupby(self.licenses, lambda it: it.item)]

    def begin(self) -> None:
        """Mark it as being sent by this process, once more."""
        self.status, self.sender = DeliveryStatus.SENDING, this_process()
        self.due_at = clock.now() + LOST_AFTER
        self.started_at = self.started_at or clock.now()
        self.attempts += 1

    def follow(self) -> None:
        """Follow what has changed since it was written down: a license that was replaced is left
        out, and what the portal sends by itself goes to the address that the order has by now."""
        self.licenses = self._valid_licenses
        if self.is_automatic:
            self.to = self.order.email or ""

    def choose_words(self) -> None:
        """Note which text it is going to carry, as long as that can still change."""
        for item, _licenses in self.by_item():
            self.text_version = ProductText.version_for(item, self.locale)

    @property
    def _next_try(self) -> str:
        if not self.attempts or not self.due_at:
            return _("The email containing license information is about to be sent")
        sentence = _(
            "The email containing license information to %(to)s will be tried again at %(time)s",
            to=self.to,
            time=clock_time(self.due_at),
        )
        return f"{sentence}. {smtp.Failure(self.failure).what}" if self.failure else sentence

    @property
    def _valid_licenses(self) -> "list[License]":
        """Those that none has taken the place of; all of them where each has been replaced."""
        valid = [license for license in self.licenses if not license.revoked_at]
        return valid or list(self.licenses)

    def refusal(self) -> Refusal | None:
        """Why this may not go now, or None when it may: the rule of what it carries, and a person
        asked for it to go to one address and no other."""
        if not self.licenses:
            return self.item.delivery_refusal() if self.item else None
        refusals = (license.resend_refusal() for license in self._valid_licenses)
        refusal = next((refusal for refusal in refusals if refusal), None)
        return refusal or self._address_refusal()

    def _address_refusal(self) -> Refusal | None:
        if self.is_automatic or self.to == self.order.email:
            return None
        return Refusal(
            "address_changed",
            _("The customer has another address by now than the one that was confirmed."),
            _("Send it again to the address that the order has now."),
        )

    def finish(
        self,
        status: DeliveryStatus,
        *,
        failure: str | None = None,
        answer: str | None = None,
        text: str | None = None,
    ) -> None:
        """Write the outcome down, here and in the order's history.

        `failure` is a word of smtp.Failure; `answer` is what the mail server said; `text` is why
        it was withheld.
        """
        self.status, self.due_at, self.finished_at = status, None, clock.now()
        self._note(ENTRIES[status], failure=failure, answer=answer, text=text)

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
        self.status, self.due_at, self.finished_at = DeliveryStatus.FAILED, None, clock.now()
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
        self.status, self.due_at, self.finished_at = DeliveryStatus.QUEUED, clock.now(), None
        self.attempts, self.started_at = 0, None
        self._note(What.EMAIL_REPEATED, failure=None, answer=None, by=by)

    def come_back(self, *, answer: str | None) -> None:
        """A mail server that had accepted it has given up since; `answer` is why. Nothing happens
        where that is known. What was to be sent again is not: the address does not take it."""
        if self.status is not DeliveryStatus.BOUNCED:
            self.finish(DeliveryStatus.BOUNCED, answer=answer)

    @property
    def _last_entry(self) -> HistoryEntry | None:
        """What the history says of it last: alone that knows why it was withheld."""
        if self.status is not DeliveryStatus.WITHHELD:
            return None
        return next((entry for entry in self.order.history if entry.delivery_id == self.id), None)

    @property
    def _about(self) -> str | None:
        """The product that it is about, if it carries no license."""
        return None if self.licenses or not self.item else self.item.product_name

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
                text=text or self._about,
                delivery_id=self.id,
            )
        )


@cache
def _unsettled() -> "Select[Delivery]":
    """Made once, because every page of an order asks it."""
    is_undelivered = Delivery.status.in_(UNDELIVERED) & ~Delivery.licenses.any()
    return (
        db.select(Delivery)
        .where(
            Delivery.order_id == bindparam("order_id"),
            Delivery.status.in_(UNDERWAY) | is_undelivered,
        )
        .order_by(Delivery.id.desc())
        .options(
            joinedload(Delivery.by).lazyload(Staff.checkout_pages),
            selectinload(Delivery.licenses),
        )
    )
