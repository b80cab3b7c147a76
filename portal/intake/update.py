"""An order that is there already is brought up to date.

What is saved stays: licenses and history entries are added, none is taken away, and nothing leads
an order back from a final state.
"""

from collections import Counter
from enum import StrEnum

from sqlalchemy import update as update_rows

from portal import clock
from portal.extensions import db
from portal.intake.complaints import DocumentError
from portal.intake.document import ItemDocument, OrderDocument
from portal.intake.rows import (
    Row,
    entry_rows,
    item_columns,
    license_columns,
    order_columns,
    order_search_text,
)
from portal.models import (
    Delivery,
    HistoryEntry,
    Item,
    License,
    Order,
    OrderStatus,
    What,
    outbox,
)
from portal.vault import vault

STATUS_ENTRIES = {
    OrderStatus.PAID: What.ORDER_PAID,
    OrderStatus.DELETED: What.ORDER_DELETED,
    OrderStatus.TERMINATED: What.ORDER_TERMINATED,
}

PERSONAL = ("email", "first_name", "last_name", "phone", "company", "erased_at")


class Outcome(StrEnum):
    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


def update(order: Order, document: OrderDocument, pages: dict[str, int]) -> Outcome:
    """Bring `order` up to date. Raises DocumentError, and then has changed nothing."""
    _refuse_contradictions(order, document, pages)
    changed = [
        _update_columns(order, document, pages),
        _update_items(order, document),
        _add_entries(order, document),
    ]
    if any(changed):
        outbox.withhold(order)
    return Outcome.UPDATED if any(changed) else Outcome.UNCHANGED


def _refuse_contradictions(order: Order, document: OrderDocument, pages: dict[str, int]) -> None:
    if order.checkout_page_id != pages[document.checkout_page]:
        raise DocumentError("checkout_page: the order belongs to another checkout page")
    if not order.status.can_become(document.status):
        raise DocumentError(
            f"status: an order that is “{order.status}” cannot become “{document.status}”"
        )
    saved = {item.ref: item for item in order.items}
    for number, line in enumerate(document.items):
        item = saved.get(line.id)
        if item and item.refunded_at and not line.refunded_at:
            raise DocumentError(f"items.{number}.refunded_at: the item was refunded already")


def _update_columns(order: Order, document: OrderDocument, pages: dict[str, int]) -> bool:
    columns = order_columns(document, pages)
    if order.erased_at:  # what was erased does not come back
        columns |= {name: getattr(order, name) for name in PERSONAL}
        columns["search_text"] = order_search_text(columns, document.items)
    elif columns["erased_at"]:
        _forget_addresses(order)
        _note(order, What.DATA_ERASED)
    columns["paid_at"] = columns["paid_at"] or order.paid_at  # a payment is not undone
    if columns["status"] is not order.status:
        _note(order, STATUS_ENTRIES[columns["status"]])
    return _set(order, columns)


def _forget_addresses(order: Order) -> None:
    """The addresses that e-mails went to are personal data as well, and servers quote them."""
    entries = update_rows(HistoryEntry).where(HistoryEntry.order_id == order.id)
    db.session.execute(entries.values(to=None, answer=None))
    deliveries = update_rows(Delivery).where(Delivery.order_id == order.id)
    db.session.execute(deliveries.values(to="", answer=None))


def _update_items(order: Order, document: OrderDocument) -> bool:
    saved = {item.ref: item for item in order.items}
    changed = False
    for line in document.items:
        item, columns = saved.get(line.id), item_columns(line)
        fulfilled_at = columns.pop("fulfilled_at")
        if item is None:
            item = Item(ref=line.id, position=len(order.items) + 1, **columns)
            order.items.append(item)
            changed = True
        elif columns["refunded_at"] and not item.refunded_at:
            _note(order, What.ITEM_REFUNDED, text=item.product_name)
        changed |= _set(item, columns)
        if _add_licenses(order, item, line):
            item.fulfilled_at = item.fulfilled_at or fulfilled_at
            changed = True
    return changed


def _add_licenses(order: Order, item: Item, line: ItemDocument) -> bool:
    """Save the licenses of `line` that `item` does not have; the same text twice counts twice.

    Texts are compared, because the digests of two licenses may be equal. For a license that cannot
    be read its digest has to do.
    """
    saved = Counter(license.text or license.digest for license in item.licenses)
    unreadable = any(license.text is None for license in item.licenses)
    added = False
    for license in line.licenses:
        digest = vault().digest(license.text) if unreadable else b""
        known = next((name for name in (license.text, digest) if saved[name]), None)
        if known:
            saved[known] -= 1
            continue
        position = len(item.licenses) + 1
        item.licenses.append(License(**license_columns(order.id, item.ref, position, license)))
        added = True
    return added


def _add_entries(order: Order, document: OrderDocument) -> bool:
    known = {(entry.at, entry.text) for entry in order.history}
    rows = [row for row in entry_rows(document) if (row["at"], row["text"]) not in known]
    db.session.add_all(HistoryEntry(**row) for row in rows)
    return bool(rows)


def _set(thing: Order | Item, columns: Row) -> bool:
    changed = {name: value for name, value in columns.items() if getattr(thing, name) != value}
    for name, value in changed.items():
        setattr(thing, name, value)
    return bool(changed)


def _note(order: Order, what: What, *, text: str | None = None) -> None:
    db.session.add(HistoryEntry(order_id=order.id, what=what, at=clock.now(), text=text))
