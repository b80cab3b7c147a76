"""What the e-mails say: a general part for each checkout page, and a text for each product."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.database.types import UTCDateTime
from portal.extensions import Model, db
from portal.languages import LANGUAGES
from portal.models.change import Change
from portal.models.checkout_page import CheckoutPage
from portal.models.product import Product

if TYPE_CHECKING:
    from portal.models.item import Item
    from portal.models.staff import Staff

# Which words go out where nobody wrote any: raised with each change to templates/emails/license/.
DEFAULT_VERSION = "license/2"

# What the texts consist of, as the changes call it.
OF_PAGE = ("opening", "closing")
OF_PRODUCT = ("subject", "text")


def noted_as(field: str, language: str) -> str:
    """What the changes call a `field` of a text."""
    return f"{field} ({language})"


TEXTS_NOTED = {
    noted_as(field, language) for field in OF_PAGE + OF_PRODUCT for language in LANGUAGES
}


class PageText(Model):
    """How every e-mail of a checkout page begins and ends, in one language; an empty one is that of
    templates/emails/license/default/."""

    __tablename__ = "page_texts"
    __table_args__ = (UniqueConstraint("checkout_page_id", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    checkout_page_id: Mapped[int] = mapped_column(ForeignKey("checkout_pages.id"))
    language: Mapped[str] = mapped_column(String(16))
    opening: Mapped[str] = mapped_column(Text)
    closing: Mapped[str] = mapped_column(Text)

    checkout_page: Mapped[CheckoutPage] = relationship()

    @classmethod
    def of(cls, page: CheckoutPage, language: str) -> "PageText | None":
        """The general part of a page in `language`, if one was written."""
        query = db.select(cls).filter_by(checkout_page_id=page.id, language=language)
        return db.session.scalars(query).one_or_none()

    @classmethod
    def write(
        cls, page: CheckoutPage, language: str, *, opening: str, closing: str, by: "Staff | None"
    ) -> None:
        """Write the general part down; two empty texts take it back. Locks the page."""
        page.lock()
        text = cls.of(page, language) or cls(
            checkout_page=page, language=language, opening="", closing=""
        )
        befores, afters = (text.opening, text.closing), (opening, closing)
        for field, before, after in zip(OF_PAGE, befores, afters, strict=True):
            Change.note(page, page.title, noted_as(field, language), before, after, by=by)
        text.opening, text.closing = opening, closing
        db.session.add(text)
        if not (opening or closing):
            db.session.expunge(text) if text.id is None else db.session.delete(text)


class ProductText(Model):
    """What an e-mail says about a product, in one language; an empty body is none. `version` counts
    its changes, so that a delivery names the words that went; the words themselves are in the
    changes. One that was taken back stays, or another would be called as it was."""

    __tablename__ = "product_texts"
    __table_args__ = (UniqueConstraint("product_id", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    language: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=clock.now)

    product: Mapped[Product] = relationship()

    @classmethod
    def of(cls, product: Product | None, language: str) -> "ProductText | None":
        """The text of a product in `language`, if one was written."""
        text = cls._kept(product, language) if product else None
        return text if text and text.body else None

    @classmethod
    def _kept(cls, product: Product, language: str) -> "ProductText | None":
        query = db.select(cls).filter_by(product_id=product.id, language=language)
        return db.session.scalars(query).one_or_none()

    @classmethod
    def languages_of(cls, product: Product) -> list[str]:
        """The languages in which there is a text."""
        query = db.select(cls.language).filter_by(product_id=product.id).where(cls.body != "")
        return list(db.session.scalars(query.order_by(cls.language)))

    @classmethod
    def write(
        cls, product: Product, language: str, *, subject: str, body: str, by: "Staff | None"
    ) -> None:
        """Write the text down; an empty body takes it back. Locks the product."""
        product.lock()
        text = cls._kept(product, language) or cls(
            product=product, language=language, subject="", body="", version=0
        )
        befores, afters = (text.subject, text.body), (subject, body)
        for field, before, after in zip(OF_PRODUCT, befores, afters, strict=True):
            Change.note(product, product.name, noted_as(field, language), before, after, by=by)
        text.version += (text.subject, text.body) != (subject, body)
        text.subject, text.body, text.changed_at = subject, body, clock.now()
        if text.version:  # or there was none, and there is none now
            db.session.add(text)

    @classmethod
    def about(
        cls, product: Product | None, language: str, *, any_language: bool
    ) -> "ProductText | None":
        """The text of `product` in `language`. With `any_language`, where no default would do, the
        English one is better than nothing, and so is any other."""
        text = cls.of(product, language)
        if text or product is None or not any_language:
            return text
        return cls.of(product, "en") or next(
            (cls.of(product, other) for other in cls.languages_of(product)), None
        )

    @classmethod
    def version_for(cls, item: "Item", locale: str) -> str:
        """Which words an e-mail about `item` carries now, for its delivery."""
        product = Product.of(item.order.checkout_page_id, item.product_code)
        text = cls.about(
            product, item.order.checkout_page.language_for(locale), any_language=not item.licenses
        )
        return f"text/{text.id}/{text.version}" if text else DEFAULT_VERSION
