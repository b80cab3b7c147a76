"""One e-mail carrying licenses to one address.

    sending → sent, failed, or unknown

It is written down before it is attempted, so that a crash leaves a trace, and its outcome is
written after. `unknown` is the honest word for a mail that was on its way when we lost sight of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from socket import gethostname
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, or_
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from portal import clock
from portal.database import BigId, UTCDateTime, words
from portal.emails import LICENSE_TEXT_VERSION, new_message_id
from portal.extensions import Model, db
from portal.models.history import HistoryEntry, What
from portal.models.staff import Staff

if TYPE_CHECKING:
    from portal.models.license import License
    from portal.models.order import Order

# After this a delivery that is still "sending" has lost its sender: longer than any send takes.
LOST_AFTER = timedelta(seconds=30)

delivery_licenses = Table(
    "delivery_licenses",
    Model.metadata,
    Column("delivery_id", ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("license_id", ForeignKey("licenses.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_delivery_licenses_license_id", "license_id", "delivery_id"),
)


class DeliveryStatus(StrEnum):
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


OUTCOMES = {
    DeliveryStatus.SENT: What.EMAIL_SENT,
    DeliveryStatus.FAILED: What.EMAIL_NOT_SENT,
    DeliveryStatus.UNKNOWN: What.EMAIL_UNKNOWN,
}


class Delivery(Model):
    __tablename__ = "deliveries"
    __table_args__ = (
        # The few that are under way, for the order page and for the start of the server.
        Index(
            "ix_deliveries_open",
            "order_id",
            sqlite_where=db.text("status = 'sending'"),
            postgresql_where=db.text("status = 'sending'"),
        ),
        Index(None, "order_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    status: Mapped[DeliveryStatus] = mapped_column(words(DeliveryStatus))
    to: Mapped[str] = mapped_column("to_address", String(254))
    locale: Mapped[str] = mapped_column(String(16))
    text_version: Mapped[str] = mapped_column(String(32))
    # One confirmation gives one delivery: the database says no to the second.
    token: Mapped[str] = mapped_column(String(64), unique=True)
    message_id: Mapped[str] = mapped_column(String(255), unique=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    host: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failure: Mapped[str | None] = mapped_column(String(32))
    answer: Mapped[str | None] = mapped_column(Text)

    order: Mapped["Order"] = relationship(back_populates="deliveries")
    by: Mapped["Staff | None"] = relationship()
    licenses: Mapped[list["License"]] = relationship(
        secondary=delivery_licenses, order_by="License.id"
    )

    @classmethod
    def of(
        cls, order: "Order", licenses: Sequence["License"], *, by: "Staff | None", token: str
    ) -> "Delivery":
        """A delivery of `licenses` to the customer of `order`, about to be sent from this host."""
        return cls(
            order=order,
            licenses=list(licenses),
            status=DeliveryStatus.SENDING,
            to=order.email,
            locale=order.locale,
            text_version=LICENSE_TEXT_VERSION,
            token=token,
            message_id=new_message_id(order.checkout_page),
            by=by,
            host=gethostname(),
            created_at=clock.now(),
        )

    @classmethod
    def by_token(cls, token: str) -> "Delivery | None":
        """The delivery that a confirmation led to, if it did."""
        return db.session.scalars(db.select(cls).filter_by(token=token)).one_or_none()

    @classmethod
    def underway(cls, order: "Order") -> "list[Delivery]":
        """The deliveries of `order` that have no outcome yet, newest first."""
        query = (
            db.select(cls)
            .filter_by(order_id=order.id, status=DeliveryStatus.SENDING)
            .order_by(cls.id.desc())
            .options(joinedload(cls.by).lazyload(Staff.checkout_pages))
        )
        return list(db.session.scalars(query))

    @property
    def known_status(self) -> DeliveryStatus:
        """The status, or "unknown" where nobody can be at work on it any more."""
        return DeliveryStatus.UNKNOWN if self.is_lost else self.status

    @property
    def outcome(self) -> str:
        """Where this delivery stands, for people."""
        if self.known_status is DeliveryStatus.SENDING:
            return _("The email containing license information is being sent to %(to)s", to=self.to)
        entry = HistoryEntry(what=OUTCOMES[self.known_status], to=self.to, failure=self.failure)
        return f"{entry.sentence}. {entry.reason}" if entry.reason else entry.sentence

    @property
    def is_lost(self) -> bool:
        """Whether nobody can be sending this any more, although no outcome was written."""
        sending = self.status is DeliveryStatus.SENDING
        return sending and self.created_at < clock.now() - LOST_AFTER

    def finish(
        self, status: DeliveryStatus, *, failure: str | None = None, answer: str | None = None
    ) -> None:
        """Write the outcome down, here and in the order's history.

        `failure` is a word of smtp.Failure; `answer` is what the mail server said.
        """
        if not self.to:  # erased meanwhile, and the server's answer may quote it
            answer = None
        self.status, self.failure, self.answer = status, failure, answer
        self.finished_at = clock.now()
        db.session.add(
            HistoryEntry(
                order_id=self.order_id,
                what=OUTCOMES[status],
                at=self.finished_at,
                by_id=self.by_id,
                to=self.to,
                failure=failure,
                answer=answer,
                delivery_id=self.id,
            )
        )

    @classmethod
    def settle_lost(cls) -> int:
        """Say "unknown" of each delivery whose sender is gone; returns how many there were.

        Called before a server starts, when nothing on this host can be sending.
        """
        lost = (
            db.select(cls)
            .join(cls.order)
            .where(
                cls.status == DeliveryStatus.SENDING,
                or_(cls.host == gethostname(), cls.created_at < clock.now() - LOST_AFTER),
            )
            .order_by(cls.order_id, cls.id)
            .execution_options(populate_existing=True)
        )
        # The orders first, as all do that write to an order, so that none waits in a circle.
        orders = Model.metadata.tables["orders"]
        db.session.execute(lost.with_only_columns(cls.order_id).with_for_update(of=orders)).all()
        deliveries = db.session.scalars(lost).all()
        for delivery in deliveries:
            delivery.finish(DeliveryStatus.UNKNOWN)
        db.session.commit()
        return len(deliveries)
