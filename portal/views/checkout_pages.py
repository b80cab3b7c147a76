"""/checkout-pages and /checkout-pages/<code>: the shop fronts and their settings."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response
from wtforms import (
    BooleanField,
    EmailField,
    Form,
    SelectField,
    SelectMultipleField,
    StringField,
)

from portal.access import checkout_page_or_404, current_staff, staff_only
from portal.extensions import db
from portal.languages import LANGUAGES, language_name
from portal.models import Change, CheckoutPage, Hook, PageSecret, Unsound
from portal.smtp.message import default_address
from portal.views.settings_form import SettingsForm, SharedSettingsForm, choices

bp = Blueprint("checkout_pages", __name__, url_prefix="/checkout-pages")

Answer = tuple[str, int]


class NewPageForm(SettingsForm):
    """What has to be said of a page before it can be there."""

    code = StringField(
        lazy_gettext("Code"),
        description=lazy_gettext(
            "What its orders call it: small letters, digits and hyphens. It cannot be changed."
        ),
    )
    title = StringField(lazy_gettext("Title"))


class PageForm(SharedSettingsForm):
    """The settings of a page, see PageSettings."""

    title = StringField(
        lazy_gettext("Title"), description=lazy_gettext("What staff and customers call it.")
    )
    delivery_allowed = BooleanField(lazy_gettext("Licenses may be sent"))
    delivery_note = StringField(
        lazy_gettext("Why not"),
        description=lazy_gettext("Staff see this while the sending of licenses is forbidden."),
    )
    sender = EmailField(lazy_gettext("Sender"))
    reply_to = EmailField(
        lazy_gettext("Answers go to"),
        description=lazy_gettext("Without an address, to the sender."),
    )
    first_language = SelectField(lazy_gettext("Language of all other customers"))
    languages = SelectMultipleField(lazy_gettext("Languages"))
    mails_per_minute = StringField(
        lazy_gettext("E-mails a minute, at most"),
        description=lazy_gettext("Empty: as many as there are."),
    )
    vendor_email = EmailField(
        lazy_gettext("Vendor’s address"),
        description=lazy_gettext("Is told of licenses that cannot be obtained."),
    )

    def __init__(self, page: CheckoutPage, *, as_kept: bool = False) -> None:
        super().__init__(page, as_kept=as_kept)
        names = choices({language: language_name(language) for language in LANGUAGES})
        self.first_language.choices = self.languages.choices = names
        self.sender.description = _(
            "Without an address, %(address)s is used.", address=default_address()
        )
        self.mark()

    def held(self) -> dict[str, Any]:
        """See SharedForm."""
        languages = self.thing.languages
        return super().held() | {"data": {"first_language": languages[0], "languages": languages}}

    @property
    def settings(self) -> dict[str, Any]:
        """What was typed, under the names of PageSettings."""
        typed = self.typed
        first = typed.pop("first_language")
        return typed | {"languages": [first, *typed["languages"]]}


@bp.get("")
@staff_only(may="configure")
def index() -> Answer:
    return _list(NewPageForm(), 200)


@bp.post("")
@staff_only(may="configure")
def create() -> Answer | Response:
    form = NewPageForm()
    form.validate()
    try:
        page = CheckoutPage.add(form.code.data or "", by=current_staff, title=form.title.data or "")
    except Unsound as unsound:
        form.complain(unsound.complaints)
        return _list(form, 422)
    db.session.commit()
    flash(_("The checkout page was added."))
    return redirect(url_for("checkout_pages.show", code=page.code), 303)


@bp.get("/<code>")
@staff_only(may="configure")
def show(code: str) -> Answer:
    page = checkout_page_or_404(code)
    return shown(page, PageForm(page)), 200


@bp.post("/<code>")
@staff_only(may="configure")
def update(code: str) -> Answer | Response:
    page = checkout_page_or_404(code)
    form = PageForm(page)
    form.validate()
    if form.is_outdated():
        return shown(page, form), 409
    try:
        page.change(by=current_staff, **form.settings)
    except Unsound as unsound:
        form.complain(unsound.complaints)
        return shown(page, form), 422
    db.session.commit()
    flash(_("The settings were saved."))
    return redirect(url_for("checkout_pages.show", code=page.code), 303)


def _list(form: Form, status: int) -> Answer:
    return render_template("checkout_pages/index.html", form=form, pages=CheckoutPage.all()), status


def shown(page: CheckoutPage, form: Form, **more: Any) -> str:
    """The page about a checkout page; `fresh_secret` is on it this once, `refusal` is why not."""
    return render_template(
        "checkout_pages/show.html",
        page=page,
        form=form,
        changes=Change.of(page),
        seen=Change.newest_id(page),
        hooks=[(hook, _address(page, hook), PageSecret.of(page, hook)) for hook in Hook],
        add_refusal=PageSecret.add_refusal,
        **{"fresh_secret": None, "refusal": None, **more},
    )


def _address(page: CheckoutPage, hook: Hook) -> str:
    """Where messages are sent to."""
    endpoint = {Hook.WEBHOOK: "hooks.create", Hook.NOVENTIQ: "hooks.create_noventiq"}[hook]
    base: str = current_app.config["PORTAL_URL"]
    return base.rstrip("/") + url_for(endpoint, code=page.code)
