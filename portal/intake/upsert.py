"""Where all ways in end: an order is written down, or brought up to date."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InternalError
from sqlalchemy.orm import selectinload, undefer

from portal.database import wait_for_turn
from portal.extensions import db
from portal.intake.complaints import DocumentError
from portal.intake.document import OrderDocument
from portal.intake.insert import insert_orders
from portal.intake.update import Outcome, update
from portal.models import CheckoutPage, Item, Order

# What a database says of one order, rather than of itself.
REFUSALS = (DataError, IntegrityError, InternalError)


def upsert(documents: Sequence[OrderDocument]) -> list[Outcome | DocumentError]:
    """Write `documents` down, each of another order; says of each what it did, or why it did not.

    Commits nothing. Needs a few statements however many documents there are, besides those for the
    orders that change.
    """
    wait_for_turn(db.session())
    return _all_or_by_parts(documents)


def _all_or_by_parts(documents: Sequence[OrderDocument]) -> list[Outcome | DocumentError]:
    """Halves what the database refuses until the one that it refuses stands alone."""
    try:
        with db.session.begin_nested():
            return _write(documents)
    except REFUSALS as error:
        if len(documents) == 1:
            return [_refused(error)]
    half = len(documents) // 2
    return _all_or_by_parts(documents[:half]) + _all_or_by_parts(documents[half:])


def _refused(error: DBAPIError) -> DocumentError:
    # The name of the error alone: its words may quote the order.
    return DocumentError(f"line: the database refused it ({type(error.orig).__name__})")


def _write(documents: Sequence[OrderDocument]) -> list[Outcome | DocumentError]:
    pages = _page_ids(documents)
    existing = _existing(document.order_id for document in documents)
    insert_orders(
        [
            document
            for document in documents
            if document.order_id not in existing and document.checkout_page in pages
        ],
        pages,
    )
    outcomes = [
        _outcome(document, existing.get(document.order_id), pages) for document in documents
    ]
    db.session.flush()
    return outcomes


def _outcome(
    document: OrderDocument, order: Order | None, pages: dict[str, int]
) -> Outcome | DocumentError:
    if document.checkout_page not in pages:
        return DocumentError(f"checkout_page: there is no page {document.checkout_page}")
    if order is None:
        return Outcome.IMPORTED
    try:
        return update(order, document, pages)
    except DocumentError as error:
        return error


def _page_ids(documents: Iterable[OrderDocument]) -> dict[str, int]:
    codes = {document.checkout_page for document in documents}
    query = select(CheckoutPage.code, CheckoutPage.id).where(CheckoutPage.code.in_(codes))
    return {row.code: row.id for row in db.session.execute(query)}


def _existing(ids: Iterable[int]) -> dict[int, Order]:
    query = (
        select(Order)
        .where(Order.id.in_(sorted(ids)))
        .options(
            undefer(Order.search_text),
            selectinload(Order.items).selectinload(Item.licenses),
            selectinload(Order.history),
        )
        .order_by(Order.id)  # two that lock the same orders wait for each other, not in a circle
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {order.id: order for order in db.session.scalars(query)}
