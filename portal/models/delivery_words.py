"""Where a delivery stands, in words."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from portal import smtp
from portal.formats import clock_time
from portal.models.delivery_status import NOT_SENT, DeliveryStatus
from portal.models.history import HistoryEntry, What, name_of_email

if TYPE_CHECKING:
    from portal.models.course import Course
    from portal.models.delivery import Delivery

_ENTRIES = {
    DeliveryStatus.SENT: What.EMAIL_SENT,
    DeliveryStatus.FAILED: What.EMAIL_NOT_SENT,
    DeliveryStatus.UNKNOWN: What.EMAIL_UNKNOWN,
    DeliveryStatus.WITHHELD: What.EMAIL_WITHHELD,
    DeliveryStatus.BOUNCED: What.EMAIL_BOUNCED,
}


def entry_for(delivery: "Course", status: DeliveryStatus) -> What:
    """What the history says of an outcome. Why it was withheld stands there in the place of what
    one without licenses is about."""
    if delivery.may_have_left and status in NOT_SENT:
        is_withheld = status is DeliveryStatus.WITHHELD
        return What.EMAIL_NOT_REPEATED if is_withheld else What.EMAIL_UNKNOWN
    if status is DeliveryStatus.WITHHELD and about(delivery):
        return What.EMAIL_ABOUT_WITHHELD
    return _ENTRIES[status]


def outcome(delivery: "Delivery") -> str:
    """Where `delivery` stands, for people."""
    status = delivery.known_status
    if status is DeliveryStatus.SENDING:
        email = name_of_email(about(delivery))
        return _("%(email)s is being sent to %(to)s", email=email, to=delivery.to)
    if status is DeliveryStatus.QUEUED:
        return _next_try(delivery)
    entry = _last_word(delivery) or HistoryEntry(
        what=entry_for(delivery, status),
        to=delivery.to,
        failure=delivery.failure,
        text=about(delivery),
    )
    return f"{entry.sentence}. {entry.reason}" if entry.reason else entry.sentence


def about(delivery: "Course") -> str | None:
    """The product that it is about, if it carries no license."""
    return None if delivery.licenses or not delivery.item else delivery.item.product_name


def _next_try(delivery: "Delivery") -> str:
    email = name_of_email(about(delivery))
    if not delivery.attempts or not delivery.due_at:
        return _("%(email)s is about to be sent", email=email)
    sentence = _(
        "%(email)s to %(to)s will be tried again at %(time)s",
        email=email,
        to=delivery.to,
        time=clock_time(delivery.due_at),
    )
    return f"{sentence}. {smtp.Failure(delivery.failure).what}" if delivery.failure else sentence


def _last_word(delivery: "Delivery") -> HistoryEntry | None:
    """The entry that says why it was withheld, or that somebody stopped it: the history alone
    knows."""
    if delivery.status not in (DeliveryStatus.WITHHELD, DeliveryStatus.FAILED):
        return None
    entries = delivery.order.history
    last = next((entry for entry in entries if entry.delivery_id == delivery.id), None)
    if delivery.status is DeliveryStatus.FAILED and last and last.what is not What.EMAIL_STOPPED:
        return None
    return last
