"""The columns that an order document fills."""

from collections.abc import Iterable, Mapping
from typing import Any

from portal import clock
from portal.database.tables import Row
from portal.intake.document import (
    CustomerDocument,
    ItemDocument,
    LicenseDocument,
    OrderDocument,
    money,
)
from portal.models import License, OrderStatus, What
from portal.models.search_text import search_text
from portal.vault import Vault

SEARCHED = ("email", "first_name", "last_name", "company", "external_id")

STATUS_ENTRIES = {
    OrderStatus.PAID: What.ORDER_PAID,
    OrderStatus.DELETED: What.ORDER_DELETED,
    OrderStatus.TERMINATED: What.ORDER_TERMINATED,
}


def new_order_columns(document: OrderDocument) -> Row:
    """All columns of an order that was not there, but for its checkout page."""
    columns = order_columns(document)
    products = [item.product.name for item in document.items]
    return {
        "id": document.order_id,
        **columns,
        "status": new_status(document),
        "told_at": document.told_at,
        "parts": document.parts,
        "search_text": order_search_text(columns, products),
    }


def new_status(document: OrderDocument) -> OrderStatus:
    """The status of an order that was not there."""
    refunds = [item.refunded_at for item in document.items]
    return document.status_with(refunds, document.parts or 0)


def order_columns(document: OrderDocument) -> Row:
    """What the document says of the order, but for its checkout page, which never changes, and its
    status, which may depend on what is there."""
    customer = document.customer
    return {
        "number": document.number,
        "external_id": document.external_id,
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


def order_search_text(columns: Mapping[str, Any], products: Iterable[str]) -> str:
    """What the search box finds of an order with these columns and products of these names."""
    return search_text([*(columns[name] for name in SEARCHED), *dict.fromkeys(products)])


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


def license_columns(
    safe: Vault, order_id: int, ref: str, position: int, license: LicenseDocument
) -> Row:
    """The columns of one license: its text sealed in `safe` for its place, and what finds it."""
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


def news_rows(document: OrderDocument) -> list[Row]:
    """The entries of our own for an order that was not there, where it came as news."""
    if document.told_at is None:
        return []
    about = {"order_id": document.order_id, "at": clock.now()}
    refunded = [item.product.name for item in document.items if item.refunded_at]
    rows = [about | {"what": What.ITEM_REFUNDED, "text": name} for name in refunded]
    entry = STATUS_ENTRIES.get(new_status(document))
    return [*rows, about | {"what": entry, "text": None}] if entry else rows
