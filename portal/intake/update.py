"""An order that is there already is brought up to date.

What is saved stays: licenses and history entries are added, none is taken away, and nothing leads
an order back from a final state.

Documents that came as news may come late, after what is newer, or in parts. They contradict
nothing then: what leads the order forward counts whenever it comes (a payment, a refund, the end),
and the rest counts if nothing newer is known.
"""

import logging
from datetime import datetime
from enum import StrEnum

from sqlalchemy import case
from sqlalchemy import update as update_rows

from portal.database.tables import Row
from portal.extensions import db
from portal.intake.changes import note, set_columns
from portal.intake.complaints import DocumentError
from portal.intake.document import OrderDocument
from portal.intake.rows import (
    SEARCHED,
    STATUS_ENTRIES,
    entry_rows,
    order_columns,
    order_search_text,
)
from portal.intake.update_items import saved_item, update_items
from portal.models import (
    Delivery,
    HistoryEntry,
    Order,
    OrderStatus,
    ReceivedMessage,
    What,
    outbox,
)

log = logging.getLogger(__name__)

PERSONAL = ("email", "first_name", "last_name", "phone", "company", "erased_at")


class Outcome(StrEnum):
    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


def update(order: Order, document: OrderDocument, pages: dict[str, int]) -> Outcome:
    """Bring `order` up to date. Raises DocumentError, and then has changed nothing."""
    was_erased = order.erased_at
    if not changes(order, document, pages):
        return Outcome.UNCHANGED
    if order.erased_at and not was_erased:
        _forget_addresses(order)
    outbox.withhold(order)
    for item in order.items:
        if item.fulfilment:
            item.fulfilment.follow_item()
    return Outcome.UPDATED


def changes(order: Order, document: OrderDocument, pages: dict[str, int]) -> bool:
    """Change `order`, and nothing besides it; whether there was anything to change.

    What looks like an order will do, if only the answer is asked for. Raises DocumentError.
    """
    if order.checkout_page_id != pages[document.checkout_page]:
        if document.told_at:  # whoever knows one page's secret can take the numbers of the others
            log.warning(
                "A message to %s tells of order %s, which belongs to another checkout page",
                document.checkout_page,
                order.id,
            )
        raise DocumentError("checkout_page: the order belongs to another checkout page")
    parts = max(order.parts or 0, document.parts or 0)
    status = document.status_with(_refunds(order, document), parts)
    contradiction = _contradiction(order, document, status)
    late = _is_late(order, document, contradicts=contradiction is not None)
    if contradiction and not (late or document.is_part):
        raise DocumentError(contradiction)
    changed = [
        _update_status(order, status),
        set_columns(order, _newer_columns(order, document, late=late)),
        update_items(order, document),
        _update_search_text(order),
        _add_entries(order, document),
    ]
    order.parts = parts or None
    order.told_at = max(filter(None, (order.told_at, document.told_at)), default=None)
    return any(changed)


def _contradiction(order: Order, document: OrderDocument, status: OrderStatus) -> str | None:
    if not order.status.can_become(status):
        return f"status: an order that is “{order.status}” cannot become “{status}”"
    for number, line in enumerate(document.items):
        item = saved_item(order, document, line)
        if item and item.refunded_at and not line.refunded_at:
            return f"items.{number}.refunded_at: the item was refunded already"
    return None


def _is_late(order: Order, document: OrderDocument, *, contradicts: bool) -> bool:
    """Whether something newer than `document` is known. Of two from the same moment, the one that
    leads back is the older."""
    if document.told_at is None or order.told_at is None:
        return False
    return document.told_at < order.told_at or (contradicts and document.told_at == order.told_at)


def _refunds(order: Order, document: OrderDocument) -> list[datetime | None]:
    """When each item was refunded, once `document` is in."""
    refunds = {item.ref: item.refunded_at for item in order.items}
    for line in document.items:
        item = saved_item(order, document, line)
        ref = item.ref if item else line.id
        refunds[ref] = line.refunded_at or refunds.get(ref)
    return list(refunds.values())


def _update_status(order: Order, status: OrderStatus) -> bool:
    if status is order.status or not order.status.can_become(status):
        return False
    order.status = status
    note(order, STATUS_ENTRIES[status])
    return True


def _newer_columns(order: Order, document: OrderDocument, *, late: bool) -> Row:
    """The columns of `document` that are news of `order`."""
    columns = order_columns(document)
    erased = columns["erased_at"] and not order.erased_at
    if order.erased_at:  # what was erased does not come back
        columns |= {name: getattr(order, name) for name in PERSONAL}
    if erased:
        note(order, What.DATA_ERASED)
    if document.is_part:
        del columns["total"]  # see update_items
    if late:
        paid_at = order.paid_at or columns["paid_at"]
        return {name: columns[name] for name in PERSONAL if erased} | {"paid_at": paid_at}
    return columns | {"paid_at": columns["paid_at"] or order.paid_at}  # a payment is not undone


def _forget_addresses(order: Order) -> None:
    """The addresses that e-mails went to are personal data as well, and servers quote them; and so
    are the messages that named the customer."""
    vendors = HistoryEntry.what.in_([what for what in What if what.is_about_vendor])
    entries = update_rows(HistoryEntry).where(HistoryEntry.order_id == order.id)
    theirs = case((vendors, HistoryEntry.to), else_=None)
    db.session.execute(entries.values(to=theirs, answer=None))
    deliveries = update_rows(Delivery).where(Delivery.order_id == order.id)
    db.session.execute(deliveries.values(to="", answer=None))
    messages = update_rows(ReceivedMessage).where(ReceivedMessage.order_id == order.id)
    db.session.execute(messages.values(sealed=None))


def _update_search_text(order: Order) -> bool:
    columns = {name: getattr(order, name) for name in SEARCHED}
    products = [item.product_name for item in order.items]
    return set_columns(order, {"search_text": order_search_text(columns, products)})


def _add_entries(order: Order, document: OrderDocument) -> bool:
    known = {(entry.at, entry.text) for entry in order.history}
    rows = [row for row in entry_rows(document) if (row["at"], row["text"]) not in known]
    order.history.extend(HistoryEntry(**row) for row in rows)
    return bool(rows)
