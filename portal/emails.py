"""Every mail that Keydesk composes, one function each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date
from flask import Flask, current_app, render_template
from flask_babel import force_locale, get_timezone

from portal.envelope import sender_of
from portal.fulfilment.answer import Failure
from portal.models.product import Product, Tool
from portal.models.text import PageText, ProductText
from portal.smtp import Message
from portal.tags import (
    SAMPLE,
    SAMPLE_DATE,
    SAMPLE_LICENSES,
    Filled,
    around_key,
    of_url,
    values_of,
)

if TYPE_CHECKING:
    from portal.models import CheckoutPage, Delivery, License, Order, Staff
    from portal.models.notice import Notice


class Unsendable(Exception):
    """The mail cannot be composed: a license in it cannot be read."""


def init_app(app: Flask) -> None:
    app.jinja_env.globals["password_link"] = password_link


@dataclass(frozen=True)
class Part:
    """What an e-mail says about one item: its licenses, and what stands before and after them."""

    before: Filled
    licenses: Sequence[str]
    after: Filled


@dataclass(frozen=True)
class Letter:
    """What an e-mail to a customer says, with every tag filled in."""

    subject: Filled
    opening: Filled
    parts: Sequence[Part]
    closing: Filled


def license_email(delivery: "Delivery") -> Message:
    """The mail with the licenses of `delivery`, in the language its order was placed in.

    Each license has lines of its own with nothing around it, byte-exact but for its line ends,
    which are CRLF in every mail (RFC 5322, 2.1). Raises Unsendable.
    """
    page = delivery.order.checkout_page
    language = page.language_for(delivery.locale)
    return _compose(
        "license",
        to=delivery.to,
        language=language,
        sender=sender_of(page),
        reply_to=page.reply_to,
        message_id=delivery.message_id,
        letter=_letter(delivery, language),
    )


def sample_email(
    page: "CheckoutPage",
    language: str,
    *,
    product: Product | None = None,
    subject: str = "",
    body: str = "",
    opening: str = "",
    closing: str = "",
) -> Message:
    """The mail as it will arrive with these texts, about a sample order; empty ones are the
    default. It is for looking at, and goes to nobody."""
    informs = product is not None and product.tool is Tool.INFORMATION
    default = default_texts(page, language, named=True, licenses=not informs)
    values = SAMPLE | {
        "DATE": format_date(SAMPLE_DATE, "long", locale=language),
        "COUNTRY": str(Locale.parse(language).territories["DK"]),
    }
    values |= {"PROGRAM_NAME": product.name, **of_url(product.url)} if product else {}
    text = body or default["text"]
    before, after = around_key(text)
    licenses = SAMPLE_LICENSES if text != before else ()
    letter = Letter(
        Filled(subject or default["subject"], values),
        Filled(opening or default["opening"], values),
        [Part(Filled(before, values), licenses, Filled(after, values))],
        Filled(closing or default["closing"], values),
    )
    return _compose(
        "license",
        to=SAMPLE["EMAIL"],
        language=language,
        sender=sender_of(page),
        reply_to=page.reply_to,
        letter=letter,
    )


def default_texts(
    page: "CheckoutPage", language: str, *, named: bool, licenses: bool = True
) -> dict[str, str]:
    """What is said where nobody wrote anything else, with its tags: subject, opening, text and
    closing. A customer may be `named` or not, and there may be `licenses` or not."""
    with force_locale(language):
        return {
            name: render_template(
                f"emails/license/default/{name}.txt",
                named=named,
                licenses=licenses,
                title=page.title,
            ).strip()
            for name in ("subject", "opening", "text", "closing")
        }


def _letter(delivery: "Delivery", language: str) -> Letter:
    order = delivery.order
    default = default_texts(
        order.checkout_page,
        language,
        named=bool(order.customer_name),
        licenses=bool(delivery.licenses),
    )
    date = _date(order, language)
    general = PageText.of(order.checkout_page, language)
    parts: list[Part] = []
    subjects: list[Filled] = []
    for item, licenses in delivery.by_item():
        product = Product.of(order.checkout_page_id, item.product_code)
        text = ProductText.about(product, language, any_language=not licenses)
        if text is None and not licenses:
            raise Unsendable(f"there is no text for delivery {delivery.id}")
        url = product.url if product else None
        values = values_of(item, url=url, date=date, language=language)
        before, after = around_key(text.body if text else default["text"])
        texts = [_readable(license, delivery) for license in licenses]
        parts.append(Part(Filled(before, values), texts, Filled(after, values)))
        subjects.append(Filled((text and text.subject) or default["subject"], values))
    return Letter(
        subjects[0],
        Filled((general and general.opening) or default["opening"], values),
        parts,
        Filled((general and general.closing) or default["closing"], values),
    )


def _readable(license: "License", delivery: "Delivery") -> str:
    if license.text is None:
        raise Unsendable(f"a license of delivery {delivery.id} is unreadable")
    return license.text


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


def _date(order: "Order", language: str) -> str:
    """The day of the order in the portal's zone, written out."""
    return format_date(order.created_at.astimezone(get_timezone()), "long", locale=language)


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
