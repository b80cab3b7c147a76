"""Orders that are not there yet are written down, many at a time."""

from collections.abc import Iterator, Sequence

from portal.intake.document import OrderDocument
from portal.intake.rows import (
    entry_rows,
    item_columns,
    license_columns,
    new_order_columns,
    news_rows,
)
from portal.intake.tables import Row, insert_many, insert_or_lock, new_ids
from portal.models import HistoryEntry, Item, License, Order


def insert_orders(documents: Sequence[OrderDocument], pages: dict[str, int]) -> set[int]:
    """Write those of `documents` down whose orders are not there yet, and lock the orders that
    are; returns the ids of those it wrote. `documents` stand in the order of their ids."""
    orders = [new_order_columns(document, pages) for document in documents]
    inserted = insert_or_lock(Order, orders)
    new = [document for document in documents if document.order_id in inserted]
    ids = new_ids(Item, sum(len(document.items) for document in new))
    items, licenses = _item_and_license_rows(new, ids)
    insert_many(Item, items)
    insert_many(License, licenses)
    for rows in (entry_rows, news_rows):
        insert_many(HistoryEntry, [row for document in new for row in rows(document)])
    return inserted


def _item_and_license_rows(
    documents: Sequence[OrderDocument], ids: Iterator[int]
) -> tuple[list[Row], list[Row]]:
    items: list[Row] = []
    licenses: list[Row] = []
    for document in documents:
        order_id = document.order_id
        for position, item in enumerate(document.items, 1):
            item_id = next(ids)
            place = {"id": item_id, "order_id": order_id, "ref": item.id, "position": position}
            items.append({**place, "told_at": document.told_at, **item_columns(item)})
            licenses += (
                {"item_id": item_id} | license_columns(order_id, item.id, number, license)
                for number, license in enumerate(item.licenses, 1)
            )
    return items, licenses
