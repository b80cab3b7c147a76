"""What was bought, by whom, and where it stands."""

import re
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, exists
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship
from sqlalchemy.orm.attributes import set_committed_value

from portal.database.types import BigId, Money, UTCDateTime, words
from portal.extensions import Model, db
from portal.models.history import HistoryEntry, licenses_in_the_history
from portal.models.item import Item
from portal.models.order_status import OrderStatus
from portal.models.refusal import Refusal

if TYPE_CHECKING:
    from portal.models.checkout_page import CheckoutPage
    from portal.models.delivery import Delivery
    from portal.models.license import License

NUMBER = re.compile(r"[A-Za-z]{0,3}([0-9]{1,12})", re.ASCII)


class Order(Model):
    """An order. Its `id` is the numeric part of its number, which identifies it in the portal."""

    __tablename__ = "orders"
    __table_args__ = (
        # Each answers one shape of list, newest first; see portal/search/walks.py.
        Index(None, "created_at", "id"),
        Index(None, "status", "created_at", "id"),
        Index(None, "checkout_page_id", "status", "created_at", "id"),
        Index(None, "checkout_page_id", "paid_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    number: Mapped[str] = mapped_column(String(15))
    external_id: Mapped[str | None] = mapped_column(String(64))
    checkout_page_id: Mapped[int] = mapped_column(ForeignKey("checkout_pages.id"))
    status: Mapped[OrderStatus] = mapped_column(words(OrderStatus))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    currency: Mapped[str] = mapped_column(String(3))
    total: Mapped[Decimal] = mapped_column(Money)
    locale: Mapped[str] = mapped_column(String(16))
    payment_method: Mapped[str | None] = mapped_column(String(64))
    # Of what happened elsewhere, and was told by webhook: the newest, and in how many parts.
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    parts: Mapped[int | None]

    email: Mapped[str | None] = mapped_column(String(254))
    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(40))
    company: Mapped[str | None] = mapped_column(String(200))
    country: Mapped[str | None] = mapped_column(String(2))
    customer_type: Mapped[str] = mapped_column(String(8))
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    # What the search box finds; derived, see search_text.py.
    search_text: Mapped[str] = mapped_column(Text, deferred=True)

    # Whether deliveries of it are under way or can be repeated, where the page that shows the order
    # has read it; None elsewhere. See Delivery.unsettled.
    has_unsettled: Mapped[bool | None] = query_expression()

    checkout_page: Mapped["CheckoutPage"] = relationship()
    items: Mapped[list["Item"]] = relationship(
        back_populates="order", order_by="Item.position", cascade="all, delete-orphan"
    )
    deliveries: Mapped[list["Delivery"]] = relationship(
        back_populates="order", order_by="Delivery.id"
    )
    history: Mapped[list["HistoryEntry"]] = relationship(
        order_by="(HistoryEntry.at.desc(), HistoryEntry.id.desc())"
    )

    @staticmethod
    def id_of(number: str) -> int | None:
        """The id in an order number in any of its forms ('A0005555555', '5555555'), or None."""
        match = NUMBER.fullmatch(number.strip())
        return int(match[1]) if match else None

    def lock(self) -> None:
        """Keep everybody else from changing this order until the transaction ends, and see all of
        it as it is now. SQLite locked when the transaction began, see sqlite.py."""
        db.session.execute(db.select(Order.id).filter_by(id=self.id).with_for_update())
        db.session.expire_all()

    def read_mailed_licenses(self) -> None:
        """Read which licenses the e-mails in `history` carried, where there are several to tell
        apart: in one statement, which most orders do not need."""
        if not (self.has_several_licenses and any(entry.delivery_id for entry in self.history)):
            return
        known = {license.id: license for item in self.items for license in item.licenses}
        found: dict[int | None, list[License]] = defaultdict(list)
        values = {"order_id": self.id}
        for delivery_id, license_id in db.session.execute(licenses_in_the_history(), values):
            found[delivery_id].append(known[license_id])
        for entry in self.history:
            set_committed_value(entry, "licenses", found.get(entry.delivery_id, []))

    def address_refusal(self, confirmed: str | None) -> Refusal | None:
        """Why what a person has `confirmed` for an address may not go now, or None when it may: to
        that address and no other. None stands for nobody's having confirmed one."""
        if confirmed in (None, self.email):
            return None
        return Refusal(
            "address_changed",
            _("The customer has another address by now than the one that was confirmed."),
            _("Look at the address that the order has now, and confirm again."),
        )

    @property
    def has_several_licenses(self) -> bool:
        """Whether it has to be said which license is meant."""
        return sum(len(item.licenses) for item in self.items) > 1

    @property
    def customer_name(self) -> str:
        """First and last name, as far as there is one."""
        return full_name(self.first_name, self.last_name)

    @hybrid_property
    def is_delivered(self) -> bool:
        """Whether every item that is not refunded has been fulfilled."""
        return not any(item.is_awaited for item in self.items)

    @is_delivered.inplace.expression
    @classmethod
    def _is_delivered(cls) -> ColumnElement[bool]:
        return ~exists().where(Item.order_id == cls.id, Item.is_awaited)


def full_name(first: str | None, last: str | None) -> str:
    """Both in one, as far as there is one."""
    return " ".join(part for part in (first, last) if part)
