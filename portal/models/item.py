"""One product line of an order."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, and_
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.database.types import BigId, Money, UTCDateTime
from portal.extensions import Model, db
from portal.models.refusal import Refusal
from portal.vault import vault

if TYPE_CHECKING:
    from portal.models.fulfilment import Fulfilment
    from portal.models.license import License
    from portal.models.order import Order


class Item(Model):
    """A product, how many of it, and the licenses that were saved for it.

    `ref` is what the order document calls the item's id: unique within the order. The product is
    kept as it was sold, so that a later change of its name does not rewrite the order.
    """

    __tablename__ = "items"
    __table_args__ = (
        UniqueConstraint("order_id", "ref"),
        # The few orders that still wait for something, among the many that are done.
        Index(
            "ix_items_awaited",
            "order_id",
            sqlite_where=db.text("fulfilled_at IS NULL AND refunded_at IS NULL"),
            postgresql_where=db.text("fulfilled_at IS NULL AND refunded_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    ref: Mapped[str] = mapped_column(String(64))
    position: Mapped[int]
    product_code: Mapped[str] = mapped_column(String(64))
    sku: Mapped[str | None] = mapped_column(String(64))
    product_name: Mapped[str] = mapped_column(String(255))
    quantity: Mapped[int]
    amount: Mapped[Decimal] = mapped_column(Money)
    refunded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fulfilled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # see Order

    order: Mapped["Order"] = relationship(back_populates="items")
    licenses: Mapped[list["License"]] = relationship(
        back_populates="item", order_by="License.position", cascade="all, delete-orphan"
    )

    fulfilment: Mapped["Fulfilment | None"] = relationship(
        back_populates="item", cascade="all, delete-orphan"
    )

    @hybrid_property
    def is_awaited(self) -> bool:
        """Whether the customer still waits for this item: not fulfilled and not refunded."""
        return self.fulfilled_at is None and self.refunded_at is None

    @is_awaited.inplace.expression
    @classmethod
    def _is_awaited(cls) -> ColumnElement[bool]:
        return and_(cls.fulfilled_at.is_(None), cls.refunded_at.is_(None))

    def closed_refusal(self, *, unpaid: str) -> Refusal | None:
        """Why nothing is to be done for this item, or None where it is paid for and was not
        refunded; `unpaid` is the next step where its order is not paid."""
        status = self.order.status
        if not status.is_paid:
            sentence = _("The order’s status is “%(status)s”.", status=status)
            return Refusal("order_not_paid", sentence, unpaid)
        if self.refunded_at:
            return Refusal(
                "license_revoked",
                _("The item was refunded, so its license is revoked."),
                _("The customer would have to order it again."),
            )
        return None

    def delivery_refusal(self) -> Refusal | None:
        """Why nothing can be mailed for this item now, or None when it can. The first counts."""
        order = self.order
        unpaid = (
            _("A license can be sent once the order is paid.")
            if order.status.is_open
            else _("It is closed: the customer would have to order again.")
        )
        if refusal := self.closed_refusal(unpaid=unpaid):
            return refusal
        if not order.checkout_page.delivery_allowed:
            return Refusal(
                "delivery_forbidden",
                order.checkout_page.ban,
                _("Only an operator can allow it again."),
                for_operators=_("You can allow it again:"),
                page_code=order.checkout_page.code,
            )
        if not order.email:
            return Refusal(
                "no_email",
                _("The customer’s e-mail address is missing or was erased."),
                _("Ask the customer to write to you, and answer them yourself."),
            )
        return None

    def fulfilment_refusal(self) -> Refusal | None:
        """Why no license can be obtained for this item now, or None when one can."""
        unpaid = _("Licenses are obtained once the order is paid.")
        if refusal := self.closed_refusal(unpaid=unpaid):
            return refusal
        if self.fulfilled_at:
            return Refusal(
                "fulfilled", _("The item has been fulfilled."), _("Resend its license instead.")
            )
        return None

    def has_license(self, *texts: str) -> bool:
        """Whether one of these very licenses was saved for it before, revoked or not."""
        # The digests of two licenses may be equal; of one that cannot be read it has to do.
        saved: dict[bytes, list[License]] = defaultdict(list)
        for license in self.licenses:
            saved[license.digest].append(license)
        digest = vault().digest
        return bool(saved) and any(
            license.text in (text, None)
            for text in map(str.strip, texts)
            for license in saved.get(digest(text), [])
        )

    def attempt_refusal(self) -> Refusal | None:
        """Why its licenses cannot be asked for at once, or None when they can. An item that came
        from a file has no fulfilment, and gets one then."""
        return self.fulfilment.attempt_refusal() if self.fulfilment else self.fulfilment_refusal()

    def entry_refusal(self) -> Refusal | None:
        """Why a person cannot enter the licenses of this item, or None when they can."""
        if refusal := self.fulfilment_refusal():
            return refusal
        if not (self.fulfilment and self.fulfilment.awaits_staff):
            return Refusal(
                "no_license_awaited",
                _("Nobody has to enter a license for this item."),
                _("Look at where it stands."),
            )
        return None
