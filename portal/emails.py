"""Every mail that Keydesk composes, one function each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Flask, current_app, render_template
from flask_babel import force_locale

from portal.envelope import sender_of
from portal.fulfilment.answer import Failure
from portal.letters import Letter, letter_of, sample_letter
from portal.models.product import Product
from portal.smtp import Message
from portal.tags import SAMPLE

if TYPE_CHECKING:
    from portal.models import CheckoutPage, Delivery, Staff
    from portal.models.notice import Notice


def init_app(app: Flask) -> None:
    app.jinja_env.globals["password_link"] = password_link


def license_email(delivery: "Delivery") -> Message:
    """The mail with the licenses of `delivery`, in the language its order was placed in.

    Each license has lines of its own with nothing around it, byte-exact but for its line ends,
    which are CRLF in every mail (RFC 5322, 2.1). Raises Unsendable.
    """
    page = delivery.order.checkout_page
    language = page.language_for(delivery.locale)
    letter = letter_of(delivery, language)
    return _to_customer(page, delivery.to, language, letter, message_id=delivery.message_id)


def sample_email(
    page: "CheckoutPage",
    language: str,
    texts: Mapping[str, str],
    *,
    product: Product | None = None,
) -> Message:
    """The mail as it will arrive with these texts, see letters.py, about a sample order. It is for
    looking at, and goes to nobody."""
    letter = sample_letter(page, language, texts, product)
    return _to_customer(page, SAMPLE["EMAIL"], language, letter)


def invitation_email(staff: "Staff", link: str) -> Message:
    """The mail that lets a new colleague choose a password."""
    return _compose("invitation", to=staff.email, language="en", link=link)


def notice_email(notice: "Notice") -> Message:
    """The mail that tells the vendor what it has to do. It is in English, and has no license."""
    where = f"orders/{notice.item.order.number}" if notice.item else "pools"
    failure = notice.item and notice.item.fulfilment and notice.item.fulfilment.failure
    with force_locale("en"):
        reason = Failure(failure).what if failure else None
    return _compose(
        f"notice_{notice.kind}",
        to=notice.to,
        language="en",
        message_id=notice.message_id,
        notice=notice,
        item=notice.item,
        reason=reason,
        link=f"{current_app.config['PORTAL_URL'].rstrip('/')}/{where}",
    )


def password_link(token: str) -> str:
    """Where a password is chosen: at PORTAL_URL, whatever host a request claims to be for."""
    base = current_app.config["PORTAL_URL"].rstrip("/")
    return f"{base}{current_app.config['SECURITY_RESET_URL']}/{token}"


def _to_customer(
    page: "CheckoutPage",
    to: str,
    language: str,
    letter: Letter,
    *,
    message_id: str | None = None,
) -> Message:
    return _compose(
        "license",
        to=to,
        language=language,
        sender=sender_of(page),
        reply_to=page.reply_to,
        message_id=message_id,
        letter=letter,
    )


def _compose(
    name: str,
    *,
    to: str,
    language: str,
    sender: tuple[str, str] | None = None,
    reply_to: str | None = None,
    message_id: str | None = None,
    **shown: object,
) -> Message:
    with force_locale(language):
        subject, body, html = (
            render_template(f"emails/{name}/{part}", language=language, **shown)
            for part in ("subject.txt", "body.txt", "body.html")
        )
    return Message(
        subject, [to], body, html, sender=sender, reply_to=reply_to, message_id=message_id
    )
