"""One e-mail carrying licenses to one address, see delivery_status.py for where it may stand.

It is written down before it is attempted, so that a crash leaves a trace, and its outcome is
written after.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import Column, ForeignKey, Index, Select, String, Table, Text, bindparam
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship, selectinload

from portal import clock
from portal.database import BigId
from portal.envelope import new_message_id
from portal.extensions import Model, db
from portal.models import delivery_words
from portal.models.delivery_status import UNDELIVERED, UNDERWAY, DeliveryStatus
from portal.models.history import HistoryEntry, What
from portal.models.refusal import Refusal, Refused
from portal.models.sending import Sending
from portal.models.staff import Staff
from portal.models.text import ProductText
from portal.processes import this_process
from portal.retries import LOST_AFTER

if TYPE_CHECKING:
    from portal.models.item import Item
    from portal.models.license import License
    from portal.models.order import Order

__all__ = ["Delivery", "DeliveryStatus", "delivery_licenses"]

delivery_licenses = Table(
    "delivery_licenses",
    Model.metadata,
    Column("delivery_id", ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("license_id", ForeignKey("licenses.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_delivery_licenses_license_id", "license_id", "delivery_id"),
)


class Delivery(Sending, Model):
    """What is sent, to whom and because of whom; Sending is how far it is. `failure` is a word of
    smtp.Failure, and `answer` what the mail server said."""

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
    to: Mapped[str] = mapped_column("to_address", String(254))
    locale: Mapped[str] = mapped_column(String(16))
    text_version: Mapped[str] = mapped_column(String(32))
    # One confirmation gives one delivery: the database says no to the second.
    token: Mapped[str] = mapped_column(String(64), unique=True)
    message_id: Mapped[str] = mapped_column(String(255), unique=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
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
        delivery.queue_anew()
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
    def is_automatic(self) -> bool:
        """Whether the portal sends this by itself, without a person who asked."""
        return self.by_id is None

    @property
    def outcome(self) -> str:
        """Where this delivery stands, for people."""
        return delivery_words.outcome(self)

    def by_item(self) -> "list[tuple[Item, list[License]]]":
        """Its licenses by the items that they belong to; without any, the item that it is about."""
        if not self.licenses:
            return [(self.item, [])] if self.item else []
        return [(item, list(group)) for item, group in groupby(self.licenses, lambda it: it.item)]

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
        """Write the outcome down, here and in the order's history; `text` is why it is withheld."""
        self.status, self.due_at, self.finished_at = status, None, clock.now()
        what = delivery_words.entry_for(self, status)
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
        self.queue_anew()
        self._note(What.EMAIL_REPEATED, failure=None, answer=None, by=by)

    def come_back(self, *, answer: str | None) -> None:
        """A mail server that had accepted it has given up since; `answer` is why. Nothing happens
        where that is known. What was to be sent again is not: the address does not take it."""
        if self.status is not DeliveryStatus.BOUNCED:
            self.finish(DeliveryStatus.BOUNCED, answer=answer)

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
