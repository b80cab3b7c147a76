"""Where all ways in end: an order is written down, or brought up to date.

What is saved stays: an update adds licenses and history entries but takes none away, and never
leads an order back from a final state.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import selectinload, undefer

from portal.extensions import db
from portal.intake.document import DocumentError, OrderDocument
from portal.intake.rows import entry_rows, item_columns, license_columns, order_columns
from portal.intake.update import Outcome, update
from portal.models import CheckoutPage, HistoryEntry, Item, License, Order


def upsert(documents: Sequence[OrderDocument]) -> list[Outcome | DocumentError]:
    """Write `documents` down, each of another order; says of each what it did, or why it did not.

    Commits nothing. Needs a few statements however many documents there are, besides those for the
    orders that change.
    """
    pages = _page_ids(documents)
    known = [document for document in documents if document.checkout_page in pages]
    fresh = _insert(known, pages)
    seen = {Order.id_of(document.number) for document in known} - fresh
    existing = _existing(seen)
    outcomes: list[Outcome | DocumentError] = []
    for document in documents:
        order_id = Order.id_of(document.number)
        try:
            if document.checkout_page not in pages:
                raise DocumentError(f"checkout_page: there is no page {document.checkout_page}")
            if order_id in fresh:
                outcomes.append(Outcome.IMPORTED)
            else:
                outcomes.append(update(existing[order_id], document, pages))
        except DocumentError as error:
            outcomes.append(error)
    db.session.flush()
    return outcomes


def _page_ids(documents: Iterable[OrderDocument]) -> dict[str, int]:
    codes = {document.checkout_page for document in documents}
    query = select(CheckoutPage.code, CheckoutPage.id).where(CheckoutPage.code.in_(codes))
    return {row.code: row.id for row in db.session.execute(query)}


def _existing(ids: Iterable[int | None]) -> dict[int | None, Order]:
    wanted = sorted(found for found in ids if found is not None)
    if not wanted:
        return {}
    query = (
        select(Order)
        .where(Order.id.in_(wanted))
        .options(
            undefer(Order.search_text),
            selectinload(Order.items).selectinload(Item.licenses),
            selectinload(Order.history),
        )
        .order_by(Order.id)  # two that update the same orders wait for each other, not in a circle
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {order.id: order for order in db.session.scalars(query)}


def _insert(documents: Sequence[OrderDocument], pages: dict[str, int]) -> set[int | None]:
    """Insert the orders that are not there yet; the ids of those that were inserted."""
    if not documents:
        return set()
    rows = [
        {"id": Order.id_of(document.number), **order_columns(document, pages)}
        for document in documents
    ]
    dialect: Any = sqlite if db.engine.dialect.name == "sqlite" else postgresql
    put = dialect.insert(Order).on_conflict_do_nothing(index_elements=[Order.id])
    fresh: set[int | None] = set(db.session.scalars(put.returning(Order.id), rows))
    new = [document for document in documents if Order.id_of(document.number) in fresh]
    _insert_items(new)
    entries = [row for document in new for row in entry_rows(document)]
    if entries:
        db.session.execute(insert(HistoryEntry), entries)
    return fresh


def _insert_items(documents: Sequence[OrderDocument]) -> None:
    lines = [
        (Order.id_of(document.number) or 0, position, item)
        for document in documents
        for position, item in enumerate(document.items, 1)
    ]
    if not lines:
        return
    rows = [
        {"order_id": order_id, "position": position, "ref": item.id, **item_columns(item)}
        for order_id, position, item in lines
    ]
    put = insert(Item).returning(Item.id, sort_by_parameter_order=True)
    ids = db.session.scalars(put, rows).all()
    licenses = [
        {"item_id": item_id, **license_columns(order_id, item.id, number, license)}
        for item_id, (order_id, _position, item) in zip(ids, lines, strict=True)
        for number, license in enumerate(item.licenses, 1)
    ]
    if licenses:
        db.session.execute(insert(License), licenses)
