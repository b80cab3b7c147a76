"""What happened to an order: written once, never changed, and never with a license in it."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, Select, String, Text, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import smtp
from portal.database.postgresql import planned_once
from portal.database.types import BigId, UTCDateTime, words
from portal.extensions import Model
from portal.fulfilment import answer as fulfilment
from portal.models.license_names import names_of
from portal.models.staff import Staff

if TYPE_CHECKING:
    from portal.models.license import License


class What(StrEnum):
    """What an entry is about. Its sentence is in SENTENCES. How its word begins counts, see
    `is_about_mail`."""

    ELSEWHERE = "elsewhere"  # happened before the order came here; the text came with it
    ORDER_PAID = "order_paid"
    ORDER_DELETED = "order_deleted"
    ORDER_TERMINATED = "order_terminated"
    ITEM_REFUNDED = "item_refunded"
    DATA_ERASED = "data_erased"
    LICENSE_SAVED = "license_saved"
    LICENSE_REPLACED = "license_replaced"
    ITEM_DELIVERED_ELSEWHERE = "item_delivered_elsewhere"
    FULFILMENT_WAITS = "fulfilment_waits"
    FULFILMENT_RETRIES = "fulfilment_retries"
    FULFILMENT_FAILED = "fulfilment_failed"
    FULFILMENT_BEGUN = "fulfilment_begun"
    FULFILMENT_STARTED = "fulfilment_started"
    FULFILMENT_REOPENED = "fulfilment_reopened"
    EMAIL_SENT = "email_sent"
    EMAIL_NOT_SENT = "email_not_sent"
    EMAIL_UNKNOWN = "email_unknown"
    EMAIL_LOST = "email_lost"
    EMAIL_RETRIES = "email_retries"
    EMAIL_WITHHELD = "email_withheld"
    EMAIL_ABOUT_WITHHELD = "email_about_withheld"  # one without licenses
    EMAIL_NOT_REPEATED = "email_not_repeated"  # withheld after one may have been sent
    EMAIL_STOPPED = "email_stopped"
    EMAIL_REPEATED = "email_repeated"
    EMAIL_BOUNCED = "email_bounced"
    VENDOR_TOLD = "vendor_told"
    VENDOR_NOT_TOLD = "vendor_not_told"
    VENDOR_UNKNOWN = "vendor_unknown"

    @property
    def is_about_vendor(self) -> bool:
        """Whether its address is the vendor's, and not the customer's."""
        return self.startswith("vendor_")

    @property
    def is_about_mail(self) -> bool:
        """Whether its failure is one of the mail server's, rather than of a fulfilment tool."""
        return self.startswith(("email_", "vendor_"))


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
    # Those that the e-mail carried.
    licenses: Mapped[list["License"]] = relationship(
        secondary="delivery_licenses",
        primaryjoin="HistoryEntry.delivery_id == foreign(delivery_licenses.c.delivery_id)",
        secondaryjoin="License.id == foreign(delivery_licenses.c.license_id)",
        viewonly=True,
    )

    @property
    def sentence(self) -> str:
        """What happened, for people, in the past tense."""
        return str(SENTENCES[self.what](self))

    @property
    def license_names(self) -> str:
        """What the licenses are called that the e-mail carried; empty where there are none."""
        return names_of(self.licenses)

    @property
    def address(self) -> str:
        """Where an e-mail went, unless that was erased."""
        return self.to or _("deleted")

    @property
    def reason(self) -> str | None:
        """Why it did not succeed, and what to do, for people; None where it did."""
        if self.what in (What.EMAIL_UNKNOWN, What.EMAIL_NOT_REPEATED):
            advice = _("Ask the customer whether it arrived before you send it again.")
            return f"{smtp.Failure(self.failure).what} {advice}" if self.failure else advice
        if self.what is What.EMAIL_BOUNCED:
            return _("Check the address with the customer.")
        if not self.failure:
            return None
        if not self.what.is_about_mail:
            return fulfilment.Failure(self.failure).what
        failure, is_tried_again = smtp.Failure(self.failure), self.what is What.EMAIL_RETRIES
        if self.what in (What.EMAIL_STOPPED, What.EMAIL_LOST, What.VENDOR_UNKNOWN) or (
            is_tried_again and failure.is_temporary
        ):
            return failure.what
        return failure.sentence


def name_of_email(product: str | None, *, begins: bool = True) -> str:
    """What an e-mail is called that `begins` a sentence or not: one without licenses is about a
    `product`."""
    if product:
        return (
            _("The email about %(product)s", product=product)
            if begins
            else _("the email about %(product)s", product=product)
        )
    return (
        _("The email containing license information")
        if begins
        else _("the email containing license information")
    )


SENTENCES: dict[What, Callable[[HistoryEntry], str]] = {
    What.ELSEWHERE: lambda entry: entry.text or "",
    What.ORDER_PAID: lambda _entry: _("The order was paid"),
    What.ORDER_DELETED: lambda _entry: _("The order was deleted"),
    What.ORDER_TERMINATED: lambda _entry: _("The order was terminated"),
    What.ITEM_REFUNDED: lambda entry: _("%(product)s was refunded", product=entry.text),
    What.DATA_ERASED: lambda _entry: _("The customer’s personal data was erased"),
    What.LICENSE_SAVED: lambda entry: _(
        "The license information for %(product)s was received and saved", product=entry.text
    ),
    What.LICENSE_REPLACED: lambda entry: _(
        "A license was replaced, and the former one is revoked: %(reason)s", reason=entry.text
    ),
    What.ITEM_DELIVERED_ELSEWHERE: lambda entry: _(
        "The vendor was told about %(product)s and mails the license itself", product=entry.text
    ),
    What.FULFILMENT_WAITS: lambda entry: _("%(product)s has to wait", product=entry.text),
    What.FULFILMENT_RETRIES: lambda entry: _(
        "The license for %(product)s was not received; it will be tried again", product=entry.text
    ),
    What.FULFILMENT_FAILED: lambda entry: _(
        "The license for %(product)s was not received", product=entry.text
    ),
    What.FULFILMENT_BEGUN: lambda entry: _(
        "The license for %(product)s was asked for", product=entry.text
    ),
    What.FULFILMENT_REOPENED: lambda entry: _(
        "More of %(product)s was bought; what is missing is asked for", product=entry.text
    ),
    What.FULFILMENT_STARTED: lambda entry: _(
        "The license for %(product)s was asked for again", product=entry.text
    ),
    What.EMAIL_SENT: lambda entry: _(
        "%(email)s was sent to %(address)s", email=name_of_email(entry.text), address=entry.address
    ),
    What.EMAIL_NOT_SENT: lambda entry: _(
        "%(email)s was not sent to %(address)s",
        email=name_of_email(entry.text),
        address=entry.address,
    ),
    What.EMAIL_RETRIES: lambda entry: _(
        "%(email)s was not sent to %(address)s; it will be tried again",
        email=name_of_email(entry.text),
        address=entry.address,
    ),
    What.EMAIL_WITHHELD: lambda entry: _(
        "The email containing license information was withheld from %(address)s: %(reason)s",
        address=entry.address,
        reason=entry.text,
    ),
    What.EMAIL_ABOUT_WITHHELD: lambda entry: _(
        "The informational email was withheld from %(address)s: %(reason)s",
        address=entry.address,
        reason=entry.text,
    ),
    What.EMAIL_NOT_REPEATED: lambda entry: _(
        "Unknown: an email may have been sent to %(address)s, and is not sent again: %(reason)s",
        address=entry.address,
        reason=entry.text,
    ),
    What.EMAIL_STOPPED: lambda entry: _(
        "%(email)s to %(address)s was stopped",
        email=name_of_email(entry.text),
        address=entry.address,
    ),
    What.EMAIL_REPEATED: lambda entry: _(
        "%(email)s to %(address)s was queued again",
        email=name_of_email(entry.text),
        address=entry.address,
    ),
    What.EMAIL_BOUNCED: lambda entry: _(
        "%(email)s to %(address)s came back: it was not delivered",
        email=name_of_email(entry.text),
        address=entry.address,
    ),
    What.VENDOR_TOLD: lambda entry: _(
        "The vendor was told by e-mail at %(address)s", address=entry.address
    ),
    What.VENDOR_NOT_TOLD: lambda entry: _(
        "The vendor was not told by e-mail at %(address)s", address=entry.address
    ),
    What.VENDOR_UNKNOWN: lambda entry: _(
        "Unknown: the vendor may have been told by e-mail at %(address)s", address=entry.address
    ),
    What.EMAIL_LOST: lambda entry: _(
        "Unknown: %(email)s may have been sent to %(address)s; it will be sent again",
        email=name_of_email(entry.text, begins=False),
        address=entry.address,
    ),
    What.EMAIL_UNKNOWN: lambda entry: _(
        "Unknown: %(email)s may have been sent to %(address)s",
        email=name_of_email(entry.text, begins=False),
        address=entry.address,
    ),
}


@cache
def licenses_in_the_history() -> Select[int, int]:
    """Which licenses the e-mails in the history of the order with the id `order_id` carried: the
    ids of delivery and license."""
    carried = Model.metadata.tables["delivery_licenses"].c  # contents.py, which leads back to here
    return planned_once(
        select(carried.delivery_id, carried.license_id)
        .join(HistoryEntry, HistoryEntry.delivery_id == carried.delivery_id)
        .where(HistoryEntry.order_id == bindparam("order_id"))
        .distinct()
    )
