"""What an e-mail to a customer says: the texts of its checkout page and products, with every tag
filled in, or what is said where nobody wrote any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date
from flask import render_template
from flask_babel import force_locale, get_timezone

from portal.models.product import Product, Tool
from portal.models.text import PageText, ProductText
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
    from portal.models import CheckoutPage, Delivery, License, Order


class Unsendable(Exception):
    """The letter cannot be written: a license in it cannot be read."""


@dataclass(frozen=True)
class Part:
    """What is said about one item: its licenses, and what stands before and after them."""

    before: Filled
    licenses: Sequence[str]
    after: Filled


@dataclass(frozen=True)
class Letter:
    subject: Filled
    opening: Filled
    parts: Sequence[Part]
    closing: Filled


def letter_of(delivery: "Delivery", language: str) -> Letter:
    """What `delivery` says to its customer. Raises Unsendable."""
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


def sample_letter(
    page: "CheckoutPage", language: str, texts: Mapping[str, str], product: Product | None
) -> Letter:
    """What is said about a sample order with these `texts`, named as the default ones are, which
    stand in for those that are empty."""
    informs = product is not None and product.tool is Tool.INFORMATION
    said = default_texts(page, language, named=True, licenses=not informs)
    said |= {name: text for name, text in texts.items() if text}
    values = SAMPLE | {
        "DATE": format_date(SAMPLE_DATE, "long", locale=language),
        "COUNTRY": str(Locale.parse(language).territories["DK"]),
    }
    values |= {"PROGRAM_NAME": product.name, **of_url(product.url)} if product else {}
    before, after = around_key(said["text"])
    licenses = SAMPLE_LICENSES if said["text"] != before else ()
    return Letter(
        Filled(said["subject"], values),
        Filled(said["opening"], values),
        [Part(Filled(before, values), licenses, Filled(after, values))],
        Filled(said["closing"], values),
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


def _readable(license: "License", delivery: "Delivery") -> str:
    if license.text is None:
        raise Unsendable(f"a license of delivery {delivery.id} is unreadable")
    return license.text


def _date(order: "Order", language: str) -> str:
    """The day of the order in the portal's zone, written out."""
    return format_date(order.created_at.astimezone(get_timezone()), "long", locale=language)
