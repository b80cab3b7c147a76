"""The orders that answer a search: one statement, whatever is asked.

The list is walked in the order of an index (walks.py), or the candidates that something else finds
are sorted into its order (candidates.py). Neither reads the whole table of orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists

from portal.extensions import db
from portal.models import CheckoutPage, Order, Staff
from portal.search import Search, lists
from portal.search.candidates import CAP, licensed
from portal.search.cursor import Cursor
from portal.search.filters import Conditions, Scope
from portal.search.matches import matched_in

PAGE_SIZE = 50

Pages = Sequence[CheckoutPage]


@dataclass(frozen=True)
class Result:
    """An order that was found, whether it is delivered, and what the search matched in it.

    `page` is its checkout page, which is known already: the order itself would take a while to
    look for it.
    """

    order: Order
    page: CheckoutPage
    is_delivered: bool
    matched: list[str]


@dataclass(frozen=True)
class Results:
    """One page of the answer. `count` stops at CAP + 1."""

    results: list[Result]
    count: int
    newer: Cursor | None
    older: Cursor | None

    @property
    def only_order(self) -> Order | None:
        """The order, where exactly one fits."""
        return self.results[0].order if self.count == 1 and self.results else None

    @property
    def is_capped(self) -> bool:
        """Whether there are more than are counted."""
        return self.count > CAP


def find(search: Search, staff: Staff, pages: Pages) -> Results:
    """The page of orders at `search.cursor`. `pages` are the checkout pages that `staff` sees."""
    scope = Scope.of(search, staff, pages)
    if not scope.page_ids:
        return Results([], 0, None, None)
    rows = lists.rows(search, scope, PAGE_SIZE + 1, CAP + 1)
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    if search.cursor and search.cursor.backwards:
        rows = rows[::-1]
    by_id = {page.id: page for page in pages}
    results = [
        Result(
            order,
            by_id[order.checkout_page_id],
            done,
            matched_in(search, order, by_license=by_license),
        )
        for order, done, by_license, _count in rows
    ]
    count = rows[0][-1] if rows else 0
    return Results(results, count, *_neighbours(search, results, more=more))


def has_license(search: Search, staff: Staff, pages: Pages) -> bool:
    """Whether the box holds the whole license of an order that `staff` sees.

    What is the number of an order that they see is that number, whatever it is besides.
    """
    if not search.q:
        return False
    theirs: Conditions = Scope.of(Search(), staff, pages).conditions
    query = licensed(Search(license=search.for_license().license)).where(*theirs).limit(1)
    if search.numbers:
        query = query.where(~exists().where(Order.id.in_(search.numbers), *theirs))
    return db.session.scalar(query) is not None


def _neighbours(
    search: Search, results: list[Result], *, more: bool
) -> tuple[Cursor | None, Cursor | None]:
    """Where the newer and the older page begin, as far as there are any."""
    if not results:
        return None, None
    first, last = results[0].order, results[-1].order
    backwards = bool(search.cursor and search.cursor.backwards)
    has_newer = more if backwards else search.cursor is not None
    has_older = True if backwards else more
    newer = Cursor(first.created_at, first.id, backwards=True) if has_newer else None
    older = Cursor(last.created_at, last.id) if has_older else None
    return newer, older
