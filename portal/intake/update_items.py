"""The items of an order that is there already: some are new, and what is saved stays."""

from collections import Counter

from portal.database.tables import Row
from portal.intake.changes import note, set_columns
from portal.intake.document import ItemDocument, OrderDocument
from portal.intake.rows import item_columns, license_columns
from portal.models import Fulfilment, Item, License, Order, What
from portal.vault import vault


def saved_item(order: Order, document: OrderDocument, line: ItemDocument) -> Item | None:
    """The item of `order` that `line` is about.

    A part names its item by the product. An order that came in another way calls it otherwise, and
    so does whoever tells of all of an order that came in parts.
    """
    by_ref = next((item for item in order.items if item.ref == line.id), None)
    if by_ref:
        return by_ref
    if document.is_part:
        return next((item for item in order.items if item.product_code == line.product.id), None)
    return _item_of_part(order, document, line) if order.parts else None


def _item_of_part(order: Order, document: OrderDocument, line: ItemDocument) -> Item | None:
    """The item that a part has brought in; of several lines about its product the first is it."""
    code = line.product.id
    first = next(each for each in document.items if each.product.id == code)
    if first is not line or any(each.id == code for each in document.items):
        return None
    return next((item for item in order.items if item.ref == item.product_code == code), None)


def update_items(order: Order, document: OrderDocument) -> bool:
    """Bring the items up to date, with their licenses; whether anything changed.

    A part has the amount of its item alone, which makes the total grow by what is new of it.
    """
    before = sum(item.amount for item in order.items)
    changed = [_update_item(order, document, line) for line in document.items]
    if document.is_part:
        order.total += sum(item.amount for item in order.items) - before
    return any(changed)


def _update_item(order: Order, document: OrderDocument, line: ItemDocument) -> bool:
    columns = item_columns(line)
    fulfilled_at = columns.pop("fulfilled_at")
    item = saved_item(order, document, line)
    if item is None:
        item = Item(ref=line.id, position=len(order.items) + 1, **columns)
        order.items.append(item)
        changed, refunded = True, bool(item.refunded_at and document.told_at)
    else:
        was_refunded = item.refunded_at is not None
        newer = _newer_columns(item, document, columns)
        if document.told_at and item.fulfilled_at and newer.get("quantity", 0) > item.quantity:
            item.fulfilment = item.fulfilment or Fulfilment.of_delivered(item)
        changed = set_columns(item, newer)
        refunded = bool(item.refunded_at and not was_refunded)
    if refunded:
        note(order, What.ITEM_REFUNDED, text=item.product_name)
    item.told_at = max(filter(None, (item.told_at, document.told_at)), default=None)
    if _add_licenses(order, item, line):
        item.fulfilled_at = item.fulfilled_at or fulfilled_at
        changed = True
    return changed


def _newer_columns(item: Item, document: OrderDocument, columns: Row) -> Row:
    """Those of `columns` that are news of `item`. A refund always is, and is never undone."""
    refund = {"refunded_at": columns["refunded_at"] or item.refunded_at}
    late = document.told_at and item.told_at and document.told_at < item.told_at
    if late or (document.is_part and columns["refunded_at"]):
        # Whoever tells of a return may write of the item what was returned of it.
        return {"refunded_at": item.refunded_at or columns["refunded_at"]}
    if document.is_part and (item.fulfilment or item.fulfilled_at):
        # The signature of a part covers no quantity: nobody gets more by telling of more.
        columns |= {"quantity": item.quantity}
    return columns | refund


def _add_licenses(order: Order, item: Item, line: ItemDocument) -> bool:
    """Save the licenses of `line` that `item` does not have; the same text twice counts twice.

    Texts are compared, because the digests of two licenses may be equal. For a license that cannot
    be read its digest has to do.
    """
    if not line.licenses:
        return False
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
        columns = license_columns(vault(), order.id, item.ref, position, license)
        item.licenses.append(License(**columns))
        added = True
    return added
