"""Orders that are not there yet are written down, many at a time."""

from collections.abc import Sequence
from itertools import chain, repeat
from typing import NamedTuple

from sqlalchemy import Dialect

from portal.database.tables import Row, Rows, insert_many, insert_or_lock, new_ids, rows_of_each
from portal.intake.document import OrderDocument
from portal.intake.rows import (
    entry_rows,
    item_columns,
    license_columns,
    new_order_columns,
    news_rows,
)
from portal.models import HistoryEntry, Item, License, Order
from portal.vault import Vault


class NewOrder(NamedTuple):
    """All rows of an order, but for what only the database knows: ids of pages and of items."""

    id: int
    page: str  # the code of its checkout page
    order: Rows
    items: Rows
    licenses: Rows
    counts: list[int]  # of the licenses of each item
    history: Rows


def new_orders(documents: Sequence[OrderDocument], safe: Vault, dialect: Dialect) -> list[NewOrder]:
    """What `documents` are where they are not there yet, their licenses sealed in `safe`."""
    orders = [[new_order_columns(document)] for document in documents]
    items = [_item_rows(document) for document in documents]
    licenses = [_license_rows(document, safe) for document in documents]
    history = [[*entry_rows(document), *news_rows(document)] for document in documents]
    rows = zip(
        rows_of_each(Order, orders, dialect),
        rows_of_each(Item, items, dialect),
        rows_of_each(License, licenses, dialect),
        ([len(item.licenses) for item in document.items] for document in documents),
        rows_of_each(HistoryEntry, history, dialect),
        strict=True,
    )
    return [
        NewOrder(document.order_id, document.checkout_page, *theirs)
        for document, theirs in zip(documents, rows, strict=True)
    ]


def insert_orders(orders: Sequence[NewOrder], pages: dict[str, int]) -> set[int]:
    """Write those of `orders` down that are not there yet, and lock those that are; returns the
    ids of those it wrote. `orders` stand in the order of their ids, and `pages` are the ids of the
    checkout pages by their codes."""
    theirs = (pages[order.page] for order in orders)
    rows = Rows.joined([order.order for order in orders])
    inserted = insert_or_lock(Order, rows.having("checkout_page_id", theirs))
    new = [order for order in orders if order.id in inserted]
    items = Rows.joined([order.items for order in new])
    ids = list(new_ids(Item, len(items.values)))
    insert_many(Item, items.having("id", ids))
    counts = chain.from_iterable(order.counts for order in new)
    owners = chain.from_iterable(map(repeat, ids, counts))
    licenses = Rows.joined([order.licenses for order in new])
    insert_many(License, licenses.having("item_id", owners))
    insert_many(HistoryEntry, Rows.joined([order.history for order in new]))
    return inserted


def _item_rows(document: OrderDocument) -> list[Row]:
    """The items of an order, but for their ids."""
    return [
        {
            "order_id": document.order_id,
            "ref": item.id,
            "position": position,
            "told_at": document.told_at,
            **item_columns(item),
        }
        for position, item in enumerate(document.items, 1)
    ]


def _license_rows(document: OrderDocument, safe: Vault) -> list[Row]:
    """The licenses of an order, but for the ids of their items."""
    return [
        license_columns(safe, document.order_id, item.id, number, license)
        for item in document.items
        for number, license in enumerate(item.licenses, 1)
    ]
