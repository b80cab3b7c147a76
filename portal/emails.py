"""Every mail that Keydesk composes, one function each."""

from email.utils import make_msgid, parseaddr
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError
from flask import current_app, render_template
from flask_babel import force_locale

from portal.smtp import Message

if TYPE_CHECKING:
    from portal.models import Delivery, Staff

# Which words went out: to be raised with each change to templates/emails/license/.
LICENSE_TEXT_VERSION = "license/1"

LANGUAGES = ("en", "de", "es", "fr", "pt_BR")


def language_of(locale: str) -> str:
    """The language of `LANGUAGES` for a locale as orders carry it: 'de', 'pt-BR', 'en_EN'."""
    wanted = locale.replace("-", "_")
    language = wanted.split("_")[0].casefold()
    by_name = {name.casefold(): name for name in LANGUAGES}
    by_language = {name.split("_")[0]: name for name in LANGUAGES}
    return by_name.get(wanted.casefold()) or by_language.get(language, "en")


def language_name(locale: str, *, seen_by: str) -> str:
    """What the language of an e-mail is called, in the language of the person who reads it."""
    try:
        name = Locale.parse(language_of(locale)).get_display_name(seen_by)
    except UnknownLocaleError:  # pragma: no cover - LANGUAGES are all known
        name = None
    return name or locale


def new_message_id() -> str:
    """A Message-ID for a mail yet to be composed, in the domain it is sent from."""
    _name, address = parseaddr(current_app.config["MAIL_DEFAULT_SENDER"])
    return make_msgid(domain=address.partition("@")[2])


def license_email(delivery: "Delivery") -> Message:
    """The mail with the licenses of `delivery`, in the language its order was placed in."""
    return _compose(
        "license",
        to=delivery.to,
        language=language_of(delivery.locale),
        message_id=delivery.message_id,
        delivery=delivery,
        order=delivery.order,
    )


def invitation_email(staff: "Staff", link: str) -> Message:
    """The mail that lets a new colleague choose a password."""
    return _compose("invitation", to=staff.email, language="en", staff=staff, link=link)


def _compose(
    name: str, *, to: str, language: str, message_id: str | None = None, **shown: object
) -> Message:
    with force_locale(language):
        subject, body, html = (
            render_template(f"emails/{name}/{part}", language=language, **shown)
            for part in ("subject.txt", "body.txt", "body.html")
        )
    message = Message(
        subject=" ".join(subject.split()),
        recipients=[to],
        body=body,
        html=html,
        sender=current_app.config["MAIL_DEFAULT_SENDER"],
    )
    if message_id:
        message.msgId = message_id
    return message
