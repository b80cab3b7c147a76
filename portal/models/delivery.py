"""One e-mail carrying licenses to one address: how it begins.

It is written down before it is attempted, so that a crash leaves a trace, and its outcome is
written after.

    delivery_status.py    where it may stand
    sending.py            who is at it, how often it was tried, and when it is tried again
    contents.py           what it carries, to whom and because of whom, and the rule for it
    course.py             what becomes of it, in the history of its order
    outbox.py             those that the worker sends
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Exists, Index, Select, String, bindparam, or_
from sqlalchemy.orm import Mapped, joinedload, mapped_column, selectinload

from portal import clock
from portal.database.postgresql import planned_once
from portal.envelope import new_message_id
from portal.extensions import Model, db
from portal.models import delivery_words
from portal.models.contents import delivery_licenses
from portal.models.course import Course
from portal.models.delivery_status import UNDELIVERED, UNDERWAY, DeliveryStatus
from portal.models.staff import Staff
from portal.models.text import ProductText
from portal.processes import this_process
from portal.retries import LOST_AFTER

if TYPE_CHECKING:
    from portal.models.item import Item
    from portal.models.license import License
    from portal.models.order import Order

__all__ = ["Delivery", "DeliveryStatus", "delivery_licenses"]


class Delivery(Course, Model):
    """Sending, Contents and Course have most of its columns."""

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

    # One confirmation gives one delivery: the database says no to the second.
    token: Mapped[str] = mapped_column(String(64), unique=True)
    message_id: Mapped[str] = mapped_column(String(255), unique=True)

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
        if order.has_unsettled is False:
            return []
        return list(db.session.scalars(_unsettled_ones(), {"order_id": order.id}))

    @classmethod
    def any_unsettled(cls) -> Exists:
        """Whether the order with the id `order_id` has such deliveries: to read that along with an
        order spares asking for them, since most orders have none."""
        return db.exists().where(*_is_unsettled())

    @property
    def outcome(self) -> str:
        """Where this delivery stands, for people."""
        return delivery_words.outcome(self)


def _is_unsettled() -> tuple[ColumnElement[bool], ...]:
    is_undelivered = _is_one_of(UNDELIVERED) & ~Delivery.licenses.any()
    return (
        Delivery.order_id == bindparam("order_id"),
        _is_one_of(UNDERWAY) | is_undelivered,
    )


def _is_one_of(statuses: Iterable[DeliveryStatus]) -> ColumnElement[bool]:
    """As IN, which SQLAlchemy writes into a statement anew each time that it is asked."""
    return or_(*(Delivery.status == status for status in statuses))


@cache
def _unsettled_ones() -> "Select[Delivery]":
    """Made once, because a page that shows something under way asks again and again."""
    return planned_once(
        db.select(Delivery)
        .where(*_is_unsettled())
        .order_by(Delivery.id.desc())
        .options(
            joinedload(Delivery.by).lazyload(Staff.checkout_pages),
            selectinload(Delivery.licenses),
        )
    )
