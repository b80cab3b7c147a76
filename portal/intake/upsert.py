"""Where all ways in end: an order is written down, or brought up to date."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InternalError
from sqlalchemy.orm import joinedload, selectinload, undefer

from portal.extensions import db
from portal.intake.ahead import ReadAhead
from portal.intake.complaints import DocumentError
from portal.intake.document import OrderDocument
from portal.intake.insert import NewOrder, insert_orders, new_orders
from portal.intake.saved import saved_orders
from portal.intake.update import Outcome, changes, update
from portal.models import CheckoutPage, Item, Order
from portal.pools import sold
from portal.vault import vault

Incoming = OrderDocument | ReadAhead
Result = Outcome | DocumentError

# What a database says of one order, rather than of itself.
REFUSALS = (DataError, IntegrityError, InternalError)


def upsert(documents: Sequence[Incoming]) -> list[Result]:
    """Write `documents` down, each of another order; says of each what it did, or why it did not.

    All ways in end here, whether they bring one order or hundreds. Commits nothing: until the
    caller does, whoever brings one of the same orders in waits, and loses nothing. Orders are
    locked in the order of their ids, so that nobody waits in a circle; a caller must not bring more
    orders in before it commits. Needs a few statements however many documents there are, besides
    those for the orders that change.
    """
    in_order = sorted(documents, key=lambda document: document.order_id)
    sold.begin_saving()
    outcomes = _all_or_by_parts(in_order)
    sold.take_out(_new_texts(in_order, outcomes))
    found = {
        document.order_id: outcome for document, outcome in zip(in_order, outcomes, strict=True)
    }
    return [found[document.order_id] for document in documents]


def _new_texts(documents: Sequence[Incoming], outcomes: Sequence[Result]) -> list[str]:
    """The licenses of the documents that changed something: some of them may be new."""
    return [
        text
        for document, outcome in zip(documents, outcomes, strict=True)
        if outcome in (Outcome.IMPORTED, Outcome.UPDATED)
        for text in document.license_texts
    ]


def _all_or_by_parts(documents: Sequence[Incoming]) -> list[Result]:
    """Halves what the database refuses until the one that it refuses stands alone.

    What was refused has let go of its locks, and the lower half comes first: locks are still taken
    in the order of ids.
    """
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


def _write(documents: Sequence[Incoming]) -> list[Result]:
    pages = _page_ids(documents)
    results = _first_look(documents, pages)
    changing = [document for document in documents if document.order_id not in results]
    inserted = insert_orders(_as_new(changing), pages)
    results |= dict.fromkeys(inserted, Outcome.IMPORTED)
    existing = _existing({document.order_id for document in changing} - inserted)
    for document in changing:
        if order := existing.get(document.order_id):
            results[order.id] = _updated(order, _whole(document), pages)
    db.session.flush()
    return [results[document.order_id] for document in documents]


def _first_look(documents: Sequence[Incoming], pages: dict[str, int]) -> dict[int, Result]:
    """What becomes, by the ids of the orders, of the documents that change nothing: most of a file
    that was imported before. Nobody is kept from these orders. News is noted even then."""
    orders = saved_orders([document.order_id for document in documents])
    results: dict[int, Result] = {}
    for document in documents:
        order = orders.get(document.order_id)
        try:
            if document.checkout_page not in pages:
                raise DocumentError(f"checkout_page: there is no page {document.checkout_page}")
            if order and not document.told_at and not changes(order, _whole(document), pages):
                results[document.order_id] = Outcome.UNCHANGED
        except DocumentError as error:
            results[document.order_id] = error
    return results


def _as_new(documents: Sequence[Incoming]) -> list[NewOrder]:
    """The rows that they are where they are not there yet."""
    here = [document for document in documents if isinstance(document, OrderDocument)]
    made = iter(new_orders(here, vault(), db.session.connection().dialect))
    return [next(made) if isinstance(one, OrderDocument) else one.new for one in documents]


def _whole(document: Incoming) -> OrderDocument:
    return document if isinstance(document, OrderDocument) else document.document


def _updated(order: Order, document: OrderDocument, pages: dict[str, int]) -> Result:
    try:
        return update(order, document, pages)
    except DocumentError as error:
        return error


def _page_ids(documents: Iterable[Incoming]) -> dict[str, int]:
    codes = {document.checkout_page for document in documents}
    query = select(CheckoutPage.code, CheckoutPage.id).where(CheckoutPage.code.in_(codes))
    return {row.code: row.id for row in db.session.execute(query)}


def _existing(ids: Iterable[int]) -> dict[int, Order]:
    """These orders as they are now; nobody else can change them, since they are locked."""
    query = (
        select(Order)
        .where(Order.id.in_(sorted(ids)))
        .options(
            undefer(Order.search_text),
            selectinload(Order.items).options(
                selectinload(Item.licenses), joinedload(Item.fulfilment)
            ),
            selectinload(Order.history),
        )
        .execution_options(populate_existing=True)
    )
    return {order.id: order for order in db.session.scalars(query)}
