"""The columns that an order document fills."""

from collections.abc import Iterable
from typing import Any

from portal import clock
from portal.intake.document import (
    CustomerDocument,
    ItemDocument,
    LicenseDocument,
    OrderDocument,
    money,
)
from portal.models import License, What
from portal.models.order import search_text
from portal.vault import vault

Row = dict[str, Any]


def order_columns(document: OrderDocument, pages: dict[str, int]) -> Row:
    """The columns of the order; `pages` are the ids of the checkout pages by their codes."""
    customer = document.customer
    columns = {
        "number": document.number,
        "external_id": document.external_id,
        "checkout_page_id": pages[document.checkout_page],
        "status": document.status,
        "created_at": document.created_at,
        "paid_at": document.paid_at,
        "currency": document.currency,
        "total": money(document.total),
        "locale": document.locale,
        "payment_method": document.payment_method,
        **personal_columns(customer),
        "country": customer.country,
        "customer_type": customer.type,
    }
    return columns | {"search_text": order_search_text(columns, document.items)}


def personal_columns(customer: CustomerDocument) -> Row:
    """What tells who the customer is, and can be erased: without an address none of it is kept."""
    erased = customer.email is None
    return {
        "email": customer.email,
        "first_name": None if erased else customer.first_name,
        "last_name": None if erased else customer.last_name,
        "phone": None if erased else customer.phone,
        "company": None if erased else customer.company,
        "erased_at": clock.now() if erased else None,
    }


def order_search_text(columns: Row, items: Iterable[ItemDocument]) -> str:
    """What the search box finds of an order with these columns."""
    found = ("email", "first_name", "last_name", "company", "external_id")
    products = {item.product.name: None for item in items}
    return search_text([*(columns[name] for name in found), *products])


def item_columns(item: ItemDocument) -> Row:
    """The columns of one item, but for where it stands."""
    received = [license.received_at or clock.now() for license in item.licenses]
    return {
        "product_code": item.product.id,
        "sku": item.product.sku,
        "product_name": item.product.name,
        "quantity": item.quantity,
        "amount": money(item.amount),
        "refunded_at": item.refunded_at,
        "fulfilled_at": max(received) if received else None,
    }


def license_columns(order_id: int, ref: str, position: int, license: LicenseDocument) -> Row:
    """The columns of one license: its text sealed for its place, and what finds it."""
    safe = vault()
    return {
        "position": position,
        "sealed": safe.seal(license.text, License.place(order_id, ref, position)),
        "digest": safe.digest(license.text),
        "tail_digest": safe.tail_digest(license.text),
        "received_at": license.received_at or clock.now(),
    }


def entry_rows(document: OrderDocument) -> list[Row]:
    """The history entries that come with the order."""
    return [
        {"order_id": document.order_id, "what": What.ELSEWHERE, "at": entry.at, "text": entry.text}
        for entry in document.history
    ]
