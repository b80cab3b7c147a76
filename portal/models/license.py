"""One piece of license information saved for an item, and the rule for sending it again."""

import logging
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.database import BigId, UTCDateTime
from portal.extensions import Model, db
from portal.models.delivery import Delivery, delivery_licenses
from portal.models.order import OrderStatus
from portal.models.refusal import Refusal, Refused
from portal.vault import Unreadable, vault

if TYPE_CHECKING:
    from portal.models.item import Item
    from portal.models.order import Order
    from portal.models.staff import Staff

log = logging.getLogger(__name__)


class License(Model):
    """A license as it was received. `sealed` is its text, see vault.py; `digest` and `tail_digest`
    find it; `position` counts the licenses of an item from 1."""

    __tablename__ = "licenses"
    __table_args__ = (
        UniqueConstraint("item_id", "position"),
        Index(None, "digest"),
        Index(None, "tail_digest"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"))
    position: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    tail_digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)

    item: Mapped["Item"] = relationship(back_populates="licenses")

    @property
    def order(self) -> "Order":
        return self.item.order

    @property
    def name(self) -> str:
        """What to call it beside the others of its order."""
        count = len(self.item.licenses)
        if count == 1:
            return _("license for %(product)s", product=self.item.product_name)
        number = {"number": self.position, "count": count}
        return _(
            "license %(number)s of %(count)s for %(product)s",
            product=self.item.product_name,
            **number,
        )

    @staticmethod
    def place(order_id: int, ref: str, position: int) -> str:
        """Where a text is sealed for: the license numbered `position` of an item of an order."""
        return f"license:{order_id}:{position}:{ref}"

    @cached_property
    def text(self) -> str | None:
        """The license itself, or None when it cannot be read with the keys at hand."""
        place = self.place(self.item.order_id, self.item.ref, self.position)
        try:
            return vault().open(self.sealed, place)
        except Unreadable as error:
            log.error(
                "License %s of order %s is unreadable: %s", self.id, self.item.order_id, error
            )
            return None

    def resend_refusal(self) -> Refusal | None:
        """Why this license cannot be sent now, or None when it can. The first reason counts."""
        order = self.order
        if order.status is not OrderStatus.PAID:
            return Refusal(
                "order_not_paid",
                _("The order’s status is “%(status)s”.", status=order.status),
                _("A license can be sent once the order is paid.")
                if order.status.is_open
                else _("It is closed: the customer would have to order again."),
            )
        if self.item.refunded_at:
            return Refusal(
                "license_revoked",
                _("The item was refunded, so its license is revoked."),
                _("The customer would have to order it again."),
            )
        if not order.checkout_page.delivery_allowed:
            return Refusal(
                "delivery_forbidden",
                _(
                    "Delivery is forbidden for the checkout page %(page)s.",
                    page=order.checkout_page.title,
                ),
                _("Only an operator can allow it again."),
            )
        if not order.email:
            return Refusal(
                "no_email",
                _("The customer’s e-mail address is missing or was erased."),
                _("Ask the customer to write to you, and answer them yourself."),
            )
        if self.text is None:
            return Refusal(
                "license_unreadable",
                _("The saved license cannot be read."),
                _("Tell an operator: a key of the vault is missing, or the license is damaged."),
            )
        return None

    def resend(self, *, by: "Staff", token: str) -> Delivery:
        """Write down one more delivery of this license; the postman takes it from there.

        `token` is the one-use token of the confirmation. Raises Refused.
        """
        if refusal := self.resend_refusal():
            raise Refused(refusal)
        delivery = Delivery.of(self.order, [self], by=by, token=token)
        db.session.add(delivery)
        return delivery

    @property
    def last_delivery(self) -> Delivery | None:
        """The newest delivery of this license, whatever became of it."""
        query = (
            db.select(Delivery)
            .join(delivery_licenses)
            .where(delivery_licenses.c.license_id == self.id)
            .order_by(Delivery.id.desc())
            .limit(1)
        )
        return db.session.scalars(query).first()
