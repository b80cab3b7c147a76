"""A product of a checkout page, and how its licenses are obtained."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint, or_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.database.statements import insert_unless_there
from portal.database.types import UTCDateTime, words
from portal.extensions import Model, db
from portal.models import tool_settings
from portal.models.change import Change
from portal.models.product_settings import LicenseQuantity, Tool, checked_product
from portal.models.refusal import Refusal, Refused
from portal.models.unsound import Unsound
from portal.shared_secret import new_secret
from portal.vault import Unreadable, vault

if TYPE_CHECKING:
    from portal.models.checkout_page import CheckoutPage
    from portal.models.staff import Staff

__all__ = ["LicenseQuantity", "Product", "Tool"]


class Product(Model):
    """What is sold on a checkout page, and how its licenses are obtained. It appears by itself with
    the first order that wants a license of it. `code` is what the order document calls its id."""

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

    @classmethod
    def all(cls, page: "CheckoutPage | None" = None) -> "list[Product]":
        """Every product, or those of one checkout page, by name."""
        query = db.select(cls).order_by(cls.name, cls.id)
        if page is not None:
            query = query.filter_by(checkout_page_id=page.id)
        return list(db.session.scalars(query))

    @classmethod
    def find(cls, text: str, page: "CheckoutPage | None", limit: int) -> "list[Product]":
        """The products with `text` in their name or code, `limit` at most."""
        query = db.select(cls).order_by(cls.name, cls.id).limit(limit)
        if text.strip():
            fits = [part.icontains(text.strip(), autoescape=True) for part in (cls.name, cls.code)]
            query = query.where(or_(*fits))
        if page is not None:
            query = query.filter_by(checkout_page_id=page.id)
        return list(db.session.scalars(query))

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
    def known_settings(self) -> dict[str, Any]:
        """The settings of the tool, as far as they can be read."""
        return {} if self.are_settings_lost else self.settings

    @property
    def are_settings_lost(self) -> bool:
        """Whether there are settings that cannot be read with the keys at hand."""
        try:
            self.settings  # noqa: B018 - for what it raises
        except Unreadable:
            return True
        return False

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

    @classmethod
    def add(cls, page: "CheckoutPage", code: str, *, name: str, by: "Staff | None") -> "Product":
        """A product that no order has had yet. Raises Unsound."""
        fields = checked_product({"code": code, "name": name})
        product = cls(checkout_page=page, **fields)
        try:
            with db.session.begin_nested():
                db.session.add(product)
        except IntegrityError:
            there = _("The checkout page has a product %(code)s already.", code=code)
            raise Unsound({"code": there}) from None
        Change.note(product, product.name, "added", None, product.code, by=by)
        return product

    def set_up(
        self, *, by: "Staff | None", settings: dict[str, Any] | None = None, **fields: Any
    ) -> str | None:
        """Change these fields, see ProductSettings, and the settings of the tool, all of them or
        none; note what was changed. Returns the secret that the tool got with it, if it did, to be
        shown this once. Raises Unsound."""
        wanted = checked_product(fields)
        self.lock()
        tool: Tool | None = wanted.get("tool", self.tool)
        if settings and not tool:
            raise Unsound({"tool": _("Choose a tool first.")})
        before = after = self.known_settings if tool is self.tool else {}
        if tool and (settings is not None or tool is not self.tool):
            after = tool_settings.checked(tool, settings or {}, before)
        for field, value in wanted.items():
            noted = "product_url" if field == "url" else field  # its web service has a url too
            Change.note(self, self.name, noted, getattr(self, field), value, by=by)
            setattr(self, field, value)
        return self._keep(before, after, by)

    def _keep(
        self, before: dict[str, Any], after: dict[str, Any], by: "Staff | None"
    ) -> str | None:
        if self.tool is None:
            self.sealed = None
            return None
        for field, was, is_now in tool_settings.differences(self.tool, before, after):
            Change.note(self, self.name, field, was, is_now, by=by)
        self.settings = after
        secret: str | None = after.get("secret")
        return secret if secret != before.get("secret") else None

    def replace_secret(self, *, by: "Staff | None", seen: int) -> str:
        """Give the tool a fresh secret, and return it, to be shown this once: what was signed with
        the former is not any more. `seen` is the newest change that whoever asks knows of, so that
        a page that is sent twice replaces it once. Raises Refused."""
        self.lock()
        if self.tool is None or not tool_settings.has_secret(self.tool):
            raise Refused(
                Refusal("no_secret", _("The tool has no secret."), _("Nothing is to do."))
            )
        if refusal := Change.since_refusal(self, seen):
            raise Refused(refusal)
        secret = new_secret()
        self.set_up(by=by, settings=self.known_settings | {"secret": secret})
        return secret

    def lock(self) -> None:
        """Keep everybody else from changing this product until the transaction ends, and see it as
        it is now. SQLite locked when the transaction began, see sqlite.py."""
        db.session.flush()  # or what was changed and not written yet would be forgotten
        db.session.refresh(self, with_for_update={"of": Product})

    def licenses_for(self, quantity: int) -> int:
        """How many licenses an item of `quantity` units needs."""
        return quantity if self.license_quantity is LicenseQuantity.PER_UNIT else 1

    def tool_refusal(self) -> Refusal | None:
        """Why nothing can be obtained for its items, or None when it can be."""
        if self.tool is not None:
            return None
        return Refusal(
            "no_tool",
            _("No fulfilment tool is set for %(product)s.", product=self.name),
            _("Ask an operator to choose one on the page of the product."),
            for_operators=_("Set a tool on the page of the product."),
        )
