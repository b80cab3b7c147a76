"""Every mail that Keydesk composes, one function each."""

import re
from email.utils import make_msgid
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date
from flask import Flask, current_app, render_template
from flask_babel import force_locale, get_timezone

from portal.smtp import Message
from portal.smtp.message import default_address, deliverable

if TYPE_CHECKING:
    from portal.models import CheckoutPage, Delivery, Order, Staff

# Which words went out: to be raised with each change to templates/emails/license/.
LICENSE_TEXT_VERSION = "license/1"

LANGUAGES = ("en", "de", "es", "fr", "pt_BR")


class Unsendable(Exception):
    """The mail cannot be composed: a license in it cannot be read."""


def init_app(app: Flask) -> None:
    app.jinja_env.globals["password_link"] = password_link


def language_of(locale: str) -> str:
    """The language of `LANGUAGES` for a locale as orders carry it: 'de', 'pt-BR', 'en_EN'."""
    by_language = {name.split("_")[0]: name for name in LANGUAGES}
    language = re.split(r"[^a-z]", locale.strip().casefold())[0]
    return by_language.get(language, "en")


def language_name(locale: str, *, seen_by: str) -> str:
    """What the language of an e-mail is called, in the language of the person who reads it."""
    return Locale.parse(language_of(locale)).get_display_name(seen_by) or locale


def sender_of(page: "CheckoutPage") -> tuple[str, str]:
    """From whom the customers of a checkout page get their mail: name and address."""
    return page.title, page.sender or default_address()


def new_message_id(page: "CheckoutPage | None" = None) -> str:
    """A Message-ID for a mail yet to be composed, in the domain it is sent from: by a checkout page
    to its customers, or else by the portal itself."""
    _name, address = sender_of(page) if page else ("", default_address())
    return make_msgid(domain=deliverable(address).rpartition("@")[2])


def license_email(delivery: "Delivery") -> Message:
    """The mail with the licenses of `delivery`, in the language its order was placed in.

    Each license has lines of its own with nothing around it, byte-exact but for its line ends,
    which are CRLF in every mail (RFC 5322, 2.1). Raises Unsendable.
    """
    if any(license.text is None for license in delivery.licenses):
        raise Unsendable(f"a license of delivery {delivery.id} is unreadable")
    language = language_of(delivery.locale)
    return _compose(
        "license",
        to=delivery.to,
        language=language,
        sender=sender_of(delivery.order.checkout_page),
        message_id=delivery.message_id,
        delivery=delivery,
        order=delivery.order,
        ordered_on=_date(delivery.order, language),
    )


def invitation_email(staff: "Staff", link: str) -> Message:
    """The mail that lets a new colleague choose a password."""
    return _compose("invitation", to=staff.email, language="en", link=link)


def password_link(token: str) -> str:
    """Where a password is chosen: at PORTAL_URL, whatever host a request claims to be for."""
    base = current_app.config["PORTAL_URL"].rstrip("/")
    return f"{base}{current_app.config['SECURITY_RESET_URL']}/{token}"


def _date(order: "Order", language: str) -> str:
    """The day of the order in the portal's zone, written out."""
    return format_date(order.created_at.astimezone(get_timezone()), "long", locale=language)


def _compose(
    name: str,
    *,
    to: str,
    language: str,
    sender: tuple[str, str] | None = None,
    message_id: str | None = None,
    **shown: object,
) -> Message:
    with force_locale(language):
        subject, body, html = (
            render_template(f"emails/{name}/{part}", language=language, **shown)
            for part in ("subject.txt", "body.txt", "body.html")
        )
    return Message(subject, [to], body, html, sender=sender, message_id=message_id)
