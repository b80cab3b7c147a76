"""What happened to an order: written once, never changed, and never with a license in it."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.database import BigId, UTCDateTime, words
from portal.extensions import Model
from portal.smtp import Failure

if TYPE_CHECKING:
    from portal.models.staff import Staff


class What(StrEnum):
    ELSEWHERE = "elsewhere"  # happened before the order came here; the text came with it
    ORDER_PAID = "order_paid"
    ORDER_DELETED = "order_deleted"
    ORDER_TERMINATED = "order_terminated"
    ITEM_REFUNDED = "item_refunded"
    DATA_ERASED = "data_erased"
    EMAIL_SENT = "email_sent"
    EMAIL_NOT_SENT = "email_not_sent"
    EMAIL_UNKNOWN = "email_unknown"


class HistoryEntry(Model):
    """One event. `text` is the words that came with an order, or the product an event is about."""

    __tablename__ = "history_entries"
    __table_args__ = (Index(None, "order_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    what: Mapped[What] = mapped_column(words(What))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    text: Mapped[str | None] = mapped_column(String(1000))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    to: Mapped[str | None] = mapped_column("to_address", String(254))
    failure: Mapped[str | None] = mapped_column(String(32))
    answer: Mapped[str | None] = mapped_column(Text)
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"))

    by: Mapped["Staff | None"] = relationship()

    @property
    def sentence(self) -> str:
        """What happened, for people, in the past tense."""
        return str(SENTENCES[self.what](self))

    @property
    def address(self) -> str:
        """Where an e-mail went, unless that was erased."""
        return self.to or _("deleted")

    @property
    def reason(self) -> str | None:
        """Why it did not succeed, and what to do, for people; None where it did."""
        failure = Failure(self.failure) if self.failure else None
        if self.what is What.EMAIL_UNKNOWN:
            advice = _("Ask the customer whether it arrived before you send it again.")
            return f"{failure.what} {advice}" if failure else advice
        return failure.sentence if failure else None


SENTENCES: dict[What, Callable[[HistoryEntry], str]] = {
    What.ELSEWHERE: lambda entry: entry.text or "",
    What.ORDER_PAID: lambda _entry: _("The order was paid"),
    What.ORDER_DELETED: lambda _entry: _("The order was deleted"),
    What.ORDER_TERMINATED: lambda _entry: _("The order was terminated"),
    What.ITEM_REFUNDED: lambda entry: _("%(product)s was refunded", product=entry.text),
    What.DATA_ERASED: lambda _entry: _("The customer’s personal data was erased"),
    What.EMAIL_SENT: lambda entry: _(
        "The email containing license information was sent to %(address)s",
        address=entry.address,
    ),
    What.EMAIL_NOT_SENT: lambda entry: _(
        "The email containing license information was not sent to %(address)s",
        address=entry.address,
    ),
    What.EMAIL_UNKNOWN: lambda entry: _(
        "Unknown: the email containing license information may have been sent to %(address)s",
        address=entry.address,
    ),
}
