"""What the e-mails say, as it is typed: about a product, and how all of a page begin and end."""

from functools import partial
from typing import Any, Self

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import StringField, TextAreaField
from wtforms.validators import Length, ValidationError

from portal.access import current_staff
from portal.emails import sample_email
from portal.models import Change, CheckoutPage, PageText, Product, ProductText, Tool
from portal.models.text import OF_PAGE, OF_PRODUCT, noted_as
from portal.smtp import Message
from portal.tags import complaint
from portal.views.entered_text import as_entered
from portal.views.shared_form import SharedForm

Area = partial(TextAreaField, filters=[as_entered], validators=[Length(max=10_000)])


def _refuse(reason: str | None) -> None:
    if reason:
        raise ValidationError(reason)


class TextForm(SharedForm):
    """What is written about `thing` in one language, in a text of this `kind`, of which the changes
    name the `parts`."""

    kind: type[PageText | ProductText]
    parts: tuple[str, ...]

    def __init__(self, thing: Any, language: str, *, as_kept: bool = False) -> None:
        self.language = language
        super().__init__(thing, as_kept=as_kept)
        self.mark()

    def held(self) -> dict[str, Any]:
        """See SharedForm."""
        return {"obj": None if self.is_sent else self.kind.of(self.thing, self.language)}

    def kept(self) -> Self:
        """See SharedForm."""
        return type(self)(self.thing, self.language, as_kept=True)

    def shows(self, change: Change) -> bool:
        """See SharedForm."""
        return change.field in [noted_as(part, self.language) for part in self.parts]


class ProductTextForm(TextForm):
    """A subject and a text for a product; what is empty is the default."""

    kind, parts = ProductText, OF_PRODUCT

    subject = StringField(
        lazy_gettext("Subject"), filters=[as_entered], validators=[Length(max=200)]
    )
    body = Area(lazy_gettext("Text"))

    def __init__(self, product: Product, language: str, *, as_kept: bool = False) -> None:
        self.product, self.page = product, product.checkout_page
        super().__init__(product, language, as_kept=as_kept)

    @property
    def is_needed(self) -> bool:
        """Whether there is no default: a mail without licenses says what it says, or nothing."""
        return self.product.tool is Tool.INFORMATION

    def validate_subject(self, field: StringField) -> None:
        _refuse(complaint(field.data or ""))

    def validate_body(self, field: TextAreaField) -> None:
        text = field.data or ""
        if not text and (self.subject.data or self.is_needed):
            raise ValidationError(_("A text is needed."))
        if text:
            _refuse(complaint(text, licenses=not self.is_needed))
        if "{URL" in text and not self.product.url:
            raise ValidationError(_("The product has no address yet: {URL} would stay empty."))

    def email(self) -> Message:
        """The mail as it will arrive with what the form holds."""
        general = PageText.of(self.page, self.language)
        texts = {
            "subject": self.subject.data or "",
            "opening": general.opening if general else "",
            "text": self.body.data or "",
            "closing": general.closing if general else "",
        }
        return sample_email(self.page, self.language, texts, product=self.product)

    def write(self) -> None:
        """Have the text say from now on what the form holds."""
        subject, body = self.subject.data or "", self.body.data or ""
        ProductText.write(self.product, self.language, subject=subject, body=body, by=current_staff)

    def address(self, language: str) -> str:
        """Where the same is written in `language`."""
        return url_for("product_texts.show", product_id=self.product.id, language=language)


class PageTextForm(TextForm):
    """How every e-mail of a checkout page begins and ends; what is empty is the default."""

    kind, parts = PageText, OF_PAGE
    product = None
    opening = Area(lazy_gettext("Beginning"))
    closing = Area(lazy_gettext("End"))

    def __init__(self, page: CheckoutPage, language: str, *, as_kept: bool = False) -> None:
        self.page = page
        super().__init__(page, language, as_kept=as_kept)

    def validate_opening(self, field: TextAreaField) -> None:
        _refuse(complaint(field.data or "", general=True))

    def validate_closing(self, field: TextAreaField) -> None:
        _refuse(complaint(field.data or "", general=True))

    def email(self) -> Message:
        """The mail as it will arrive with what the form holds."""
        texts = {"opening": self.opening.data or "", "closing": self.closing.data or ""}
        return sample_email(self.page, self.language, texts)

    def write(self) -> None:
        """Have the text say from now on what the form holds."""
        opening, closing = self.opening.data or "", self.closing.data or ""
        PageText.write(self.page, self.language, opening=opening, closing=closing, by=current_staff)

    def address(self, language: str) -> str:
        """Where the same is written in `language`."""
        return url_for("page_texts.show", code=self.page.code, language=language)
