"""A product of a checkout page, and how its licenses are obtained."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.database import UTCDateTime, insert_unless_there, words
from portal.extensions import Model, db
from portal.vault import vault

if TYPE_CHECKING:
    from portal.models.checkout_page import CheckoutPage


class Tool(StrEnum):
    """The fulfilment tools; portal/fulfilment/ has one file for each."""

    WEB_SERVICE = "web_service"
    POOL = "pool"
    INFORMATION = "information"
    LICENSE_REQUEST = "license_request"


class LicenseQuantity(StrEnum):
    """How many licenses an item gets."""

    PER_UNIT = "per_unit"
    PER_ITEM = "per_item"


class Product(Model):
    """A product appears by itself with the first order that has it. `code` is what the order
    document calls the product's id."""

    __tablename__ = "products"
    __table_args__ = (UniqueConstraint("checkout_page_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    checkout_page_id: Mapped[int] = mapped_column(ForeignKey("checkout_pages.id"))
    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(255))
    tool: Mapped[Tool | None] = mapped_column(words(Tool))
    license_quantity: Mapped[LicenseQuantity] = mapped_column(
        words(LicenseQuantity), default=LicenseQuantity.PER_UNIT
    )
    # The settings of the tool, as JSON: they hold secrets of the vendor's.
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Where the product is to be had, for the e-mails.
    url: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=clock.now)

    checkout_page: Mapped["CheckoutPage"] = relationship(lazy="joined")

    @classmethod
    def of(cls, checkout_page_id: int, code: str) -> "Product | None":
        """The product of a checkout page with this code."""
        query = db.select(cls).filter_by(checkout_page_id=checkout_page_id, code=code)
        return db.session.scalars(query).one_or_none()

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the tool, for its `Settings`; empty where none were made. Raises
        Unreadable when they cannot be read with the keys at hand."""
        if self.sealed is None:
            return {}
        found: dict[str, Any] = json.loads(vault().open(self.sealed, self.place))
        return found

    @settings.setter
    def settings(self, settings: dict[str, Any]) -> None:
        self.sealed = vault().seal(json.dumps(settings), self.place)

    @property
    def place(self) -> str:
        """Where the settings are sealed for."""
        return f"product:{self.checkout_page_id}:{self.code}"

    @classmethod
    def appear(cls, checkout_page_id: int, names: Mapping[str, str]) -> "dict[str, Product]":
        """The products with these codes, by code; those that are new appear under these names."""
        new = [
            {"checkout_page_id": checkout_page_id, "code": code, "name": name}
            for code, name in sorted(names.items())  # two at once wait for each other in one order
        ]
        insert_unless_there(db.session(), cls, new)
        query = db.select(cls).where(
            cls.checkout_page_id == checkout_page_id, cls.code.in_(names.keys())
        )
        return {product.code: product for product in db.session.scalars(query)}

    def licenses_for(self, quantity: int) -> int:
        """How many licenses an item of `quantity` units needs."""
        return quantity if self.license_quantity is LicenseQuantity.PER_UNIT else 1
