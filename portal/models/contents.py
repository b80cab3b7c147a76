"""What a delivery carries, to whom and because of whom, and the rule for it: that follows its order
until it goes."""

from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import Column, ForeignKey, Index, String, Table
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from portal.extensions import Model
from portal.models.license_names import names_of
from portal.models.refusal import Refusal
from portal.models.sending import Sending
from portal.models.staff import Staff
from portal.models.text import ProductText

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


class Contents(Sending):
    """`to` is the address, `locale` the language of the order, `text_version` which of the vendor's
    texts is used."""

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"))
    to: Mapped[str] = mapped_column("to_address", String(254))
    locale: Mapped[str] = mapped_column(String(16))
    text_version: Mapped[str] = mapped_column(String(32))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    @declared_attr
    def item(cls) -> Mapped["Item | None"]:
        """The item that it is about, or whose licenses are the first."""
        return relationship()

    @declared_attr
    def order(cls) -> Mapped["Order"]:
        """Whose customer gets it."""
        return relationship(back_populates="deliveries")

    @declared_attr
    def by(cls) -> Mapped["Staff | None"]:
        """The person who asked for it, if one did."""
        return relationship()

    @declared_attr
    def licenses(cls) -> Mapped[list["License"]]:
        """What it carries."""
        return relationship(secondary=delivery_licenses, order_by="License.id")

    @property
    def license_names(self) -> str:
        """What its licenses are called; empty where it carries none."""
        return names_of(self.licenses)

    @property
    def is_automatic(self) -> bool:
        """Whether the portal sends this by itself, without a person who asked."""
        return self.by_id is None

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
        return None if self.is_automatic else self.order.address_refusal(self.to)
