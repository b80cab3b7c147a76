"""/products/<id>/texts and /checkout-pages/<code>/texts: what the e-mails say, in each language."""

from functools import partial

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as BaseResponse
from wtforms import StringField, TextAreaField
from wtforms.validators import Length, ValidationError

from portal.access import checkout_page_or_404, current_staff, product_or_404, staff_only
from portal.emails import sample_email
from portal.extensions import db
from portal.languages import LANGUAGES, language_name
from portal.letters import default_texts
from portal.models import CheckoutPage, PageText, Product, ProductText, Tool
from portal.smtp import Message
from portal.tags import OF_PRODUCT, TAGS, complaint
from portal.views.entered_text import as_entered

bp = Blueprint("texts", __name__)

# An e-mail in HTML has styles in its tags, and nothing else that a browser would act on.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


Area = partial(TextAreaField, filters=[as_entered], validators=[Length(max=10_000)])


def _refuse(reason: str | None) -> None:
    if reason:
        raise ValidationError(reason)


class ProductTextForm(FlaskForm):  # type: ignore[misc]
    """A subject and a text for a product; what is empty is the default."""

    subject = StringField(
        lazy_gettext("Subject"), filters=[as_entered], validators=[Length(max=200)]
    )
    body = Area(lazy_gettext("Text"))

    def __init__(self, product: Product, text: ProductText | None) -> None:
        super().__init__(obj=text)
        self.product = product

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

    def email(self, language: str) -> Message:
        """The mail as it will arrive with what the form holds."""
        page = self.product.checkout_page
        general = PageText.of(page, language)
        texts = {
            "subject": self.subject.data or "",
            "opening": general.opening if general else "",
            "text": self.body.data or "",
            "closing": general.closing if general else "",
        }
        return sample_email(page, language, texts, product=self.product)

    def write(self, language: str) -> None:
        """Have the text say from now on what the form holds."""
        subject, body = self.subject.data or "", self.body.data or ""
        ProductText.write(self.product, language, subject=subject, body=body, by=current_staff)


class PageTextForm(FlaskForm):  # type: ignore[misc]
    """How every e-mail of a checkout page begins and ends; what is empty is the default."""

    opening = Area(lazy_gettext("Beginning"))
    closing = Area(lazy_gettext("End"))

    def __init__(self, page: CheckoutPage, text: PageText | None) -> None:
        super().__init__(obj=text)
        self.page = page

    def validate_opening(self, field: TextAreaField) -> None:
        _refuse(complaint(field.data or "", general=True))

    def validate_closing(self, field: TextAreaField) -> None:
        _refuse(complaint(field.data or "", general=True))

    def email(self, language: str) -> Message:
        """The mail as it will arrive with what the form holds."""
        texts = {"opening": self.opening.data or "", "closing": self.closing.data or ""}
        return sample_email(self.page, language, texts)

    def write(self, language: str) -> None:
        """Have the text say from now on what the form holds."""
        opening, closing = self.opening.data or "", self.closing.data or ""
        PageText.write(self.page, language, opening=opening, closing=closing, by=current_staff)


@bp.get("/products/<int:product_id>/texts/<language>")
@staff_only(may="configure")
def show_product(product_id: int, language: str) -> str:
    product = _product_or_404(product_id, language)
    return _page(ProductTextForm(product, ProductText.of(product, language)), language)


@bp.post("/products/<int:product_id>/texts/<language>")
@staff_only(may="configure")
def write_product(product_id: int, language: str) -> str | BaseResponse | tuple[str, int]:
    product = _product_or_404(product_id, language)
    return _written(ProductTextForm(product, None), language)


@bp.get("/products/<int:product_id>/texts/<language>/html")
@staff_only(may="configure")
def show_product_html(product_id: int, language: str) -> Response:
    """The other half of the e-mail: its HTML, as it was saved."""
    product = _product_or_404(product_id, language)
    form = ProductTextForm(product, ProductText.of(product, language))
    return Response(form.email(language).html, headers={"Content-Security-Policy": POLICY})


@bp.get("/checkout-pages/<code>/texts/<language>")
@staff_only(may="configure")
def show_page(code: str, language: str) -> str:
    page = _page_or_404(code, language)
    return _page(PageTextForm(page, PageText.of(page, language)), language)


@bp.post("/checkout-pages/<code>/texts/<language>")
@staff_only(may="configure")
def write_page(code: str, language: str) -> str | BaseResponse | tuple[str, int]:
    page = _page_or_404(code, language)
    return _written(PageTextForm(page, None), language)


def _written(
    form: ProductTextForm | PageTextForm, language: str
) -> str | BaseResponse | tuple[str, int]:
    if not form.validate():
        return _page(form, language), 422
    if "preview" in request.form:
        return _page(form, language)
    form.write(language)
    db.session.commit()
    flash(_("The text was saved."))
    return redirect(_address(form, language), 303)


def _address(form: ProductTextForm | PageTextForm, language: str) -> str:
    if isinstance(form, ProductTextForm):
        return url_for("texts.show_product", product_id=form.product.id, language=language)
    return url_for("texts.show_page", code=form.page.code, language=language)


def _page(form: ProductTextForm | PageTextForm, language: str) -> str:
    page = form.product.checkout_page if isinstance(form, ProductTextForm) else form.page
    return render_template(
        "texts/show.html",
        form=form,
        product=form.product if isinstance(form, ProductTextForm) else None,
        page=page,
        language=language,
        languages=[(code, language_name(code), _address(form, code)) for code in LANGUAGES],
        email=None if form.errors else form.email(language),
        default=default_texts(page, language, named=True),
        tags=TAGS,
        tags_of_product=OF_PRODUCT,
    )


def _product_or_404(product_id: int, language: str) -> Product:
    return product_or_404(product_id) if language in LANGUAGES else abort(404)


def _page_or_404(code: str, language: str) -> CheckoutPage:
    return checkout_page_or_404(code) if language in LANGUAGES else abort(404)
