"""The orders that answer a search: one statement, whatever is asked.

Without words, the orders are walked in the order of an index, newest first, and the walk stops
after a page. With words (or what else finds orders by themselves) the newest candidates are found
first, at most CAP of them, and then sorted. Neither reads the whole table of orders.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    column,
    func,
    literal_column,
    select,
    tuple_,
    type_coerce,
    union,
    union_all,
)
from sqlalchemy import table as bare_table

from portal.extensions import db
from portal.models import CheckoutPage, Item, License, Order, OrderStatus, Staff
from portal.models.order import searchable
from portal.search import Cursor, Days, Search

PAGE_SIZE = 50
CAP = 10_000

# More index walks than this in one statement cost more than one that skips.
MOST_WALKS = 100

Pages = Sequence[CheckoutPage]
Conditions = list[ColumnElement[bool]]
Ids = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Result:
    """An order that was found, whether it is delivered, and what the search matched in it."""

    order: Order
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


def find(search: Search, staff: Staff, pages: Pages) -> Results:
    """The page of orders at `search.cursor`. `pages` are the checkout pages that `staff` sees."""
    wanted = [page for page in pages if search.page in ("", page.code)]
    if not wanted:
        return Results([], 0, None, None)
    everywhere = staff.sees_all and not search.page
    shown, counted = _statement_parts(search, wanted, everywhere=everywhere)
    place = shown.subquery()
    total = select(func.count()).select_from(counted.limit(CAP + 1).subquery()).scalar_subquery()
    backwards = bool(search.cursor and search.cursor.backwards)
    query = (
        select(Order, Order.is_delivered, total)
        .join(place, place.c.id == Order.id)
        .order_by(*_order(Order.created_at, Order.id, backwards=backwards))
    )
    rows = db.session.execute(query).all()
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    if backwards:
        rows = rows[::-1]
    results = [Result(order, done, matched_in(search, order)) for order, done, _count in rows]
    count = rows[0][2] if rows else 0
    return Results(results, count, *_neighbours(search, results, more=more))


def has_license(search: Search, staff: Staff, pages: Pages) -> bool:
    """Whether the box holds the whole license of an order that `staff` sees."""
    if not search.q or search.numbers:
        return False
    owned = _licensed(search.digests[:1])
    query = select(Order.id).where(Order.id.in_(owned), *_access(staff, pages)).limit(1)
    return db.session.scalar(query) is not None


def matched_in(search: Search, order: Order) -> list[str]:
    """The names of the fields of `order` that hold what was typed, for people to see why."""
    if search.license:
        return ["license"]
    if not search.q:
        return []
    fields = {
        "number": order.number if order.id in search.numbers else "",
        "email": order.email,
        "name": order.customer_name,
        "company": order.company,
        "external id": order.external_id,
    }
    words = searchable(search.q).split()
    found = [
        name
        for name, text in fields.items()
        if text and (name == "number" or any(word in searchable(text) for word in words))
    ]
    return found or ["product or license"]


def _statement_parts(search: Search, pages: Pages, *, everywhere: bool) -> tuple[Ids, Ids]:
    """The ids to show, cut to a page, and the ids to count."""
    branches = _branches(search, pages, everywhere=everywhere)
    if branches is None:
        return (
            _walk(search, pages, everywhere=everywhere, cursor=search.cursor, most=PAGE_SIZE + 1),
            _walk(search, pages, everywhere=everywhere, cursor=None, most=CAP + 1),
        )
    candidates = union(*(select(branch.subquery()) for branch in branches)).cte("candidates")
    backwards = bool(search.cursor and search.cursor.backwards)
    shown = (
        select(candidates.c.id)
        .where(*_beyond(search.cursor, candidates.c.created_at, candidates.c.id))
        .order_by(*_order(candidates.c.created_at, candidates.c.id, backwards=backwards))
        .limit(PAGE_SIZE + 1)
    )
    return shown, select(candidates.c.id)


def _walk(
    search: Search, pages: Pages, *, everywhere: bool, cursor: Cursor | None, most: int
) -> Ids:
    """At most `most` ids in the order of the list, by one index walk for each page and status."""
    backwards = bool(cursor and cursor.backwards)
    places: Sequence[CheckoutPage | None] = [None] if everywhere else pages
    statuses: Sequence[OrderStatus | None] = search.statuses or (
        [None] if everywhere else list(OrderStatus)
    )
    walks: list[Conditions] = [
        [*([Order.checkout_page_id == page.id] if page else []), *_is(status)]
        for page, status in product(places, statuses)
    ]
    if len(walks) > MOST_WALKS:
        walks = [_filters(search, pages, everywhere=everywhere)]
    bounds = [*_created(search.created, cursor), *_delivered(search)]
    parts = [
        select(Order.id, Order.created_at)
        .where(*walk, *bounds)
        .order_by(*_order(Order.created_at, Order.id, backwards=backwards))
        .limit(most)
        for walk in walks
    ]
    if len(parts) == 1:
        return parts[0]
    every = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return (
        select(every.c.id, every.c.created_at)
        .order_by(*_order(every.c.created_at, every.c.id, backwards=backwards))
        .limit(most)
    )


def _branches(search: Search, pages: Pages, *, everywhere: bool) -> list[Ids] | None:
    """The ways to find candidates, each capped; None where the list is simply walked."""
    filters = [*_filters(search, pages, everywhere=everywhere), *_created(search.created, None)]
    newest = select(Order.id, Order.created_at)
    if search.q or search.license:
        ways = _worded(search)
        filters += [*_paid(search.paid), *_delivered(search)]
    elif search.paid:
        filters += _delivered(search)
        return [
            newest.where(Order.checkout_page_id == page.id, *_paid(search.paid), *filters)
            .order_by(Order.paid_at.desc())
            .limit(CAP + 1)
            for page in pages
        ]
    elif search.delivered is False:
        ways = [_awaiting()]
    else:
        return None
    return [
        newest.join(way, way.c.id == Order.id)
        .where(*filters)
        .order_by(way.c.id.desc())
        .limit(CAP + 1)
        for way in ways
    ]


def _worded(search: Search) -> list[Any]:
    """For each thing that the box may mean, the ids of the orders that it finds."""
    ways: list[Any] = []
    numbers = search.numbers
    if numbers:
        ways.append(select(Order.id).where(Order.id.in_(numbers)).subquery())
    if len(numbers) > 1:
        return ways
    ways.append(_licensed(search.digests).subquery())
    if search.words:
        ways.append(_texts(search.words))
    return ways


def _texts(words: list[str]) -> Any:
    """The ids of orders whose search text has every one of `words`."""
    if db.engine.dialect.name == "sqlite":
        index = bare_table("order_search", column("rowid"), column("order_search"))
        phrases = " AND ".join('"' + word.replace('"', '""') + '"' for word in words)
        matches = index.c.order_search.op("MATCH")(phrases)
        return (
            select(literal_column("rowid").label("id")).select_from(index).where(matches).subquery()
        )
    found = [Order.search_text.contains(word, autoescape=True) for word in words]
    return select(Order.id).where(*found).subquery()


def _licensed(digests: Iterable[bytes]) -> Ids:
    wanted = list(digests)
    by_text = select(Item.order_id.label("id")).join(License).where(License.digest.in_(wanted))
    by_end = select(Item.order_id.label("id")).join(License).where(License.tail_digest.in_(wanted))
    return select(union(by_text, by_end).subquery().c.id)


def _awaiting() -> Any:
    awaited = select(Item.order_id.label("id")).where(Item.is_awaited).distinct()
    return awaited.subquery()


def _filters(search: Search, pages: Pages, *, everywhere: bool) -> Conditions:
    theirs = [] if everywhere else [Order.checkout_page_id.in_([page.id for page in pages])]
    ticked = [Order.status.in_(search.statuses)] if search.statuses else []
    return [*theirs, *ticked]


def _access(staff: Staff, pages: Pages) -> Conditions:
    return [] if staff.sees_all else [Order.checkout_page_id.in_([page.id for page in pages])]


def _is(status: OrderStatus | None) -> Conditions:
    return [Order.status == status] if status else []


def _created(days: Days, cursor: Cursor | None) -> Conditions:
    """The range of creation times. A cursor takes the place of the bound on its side: given two
    bounds on one side, SQLite uses the first it sees and walks past the rest."""
    beyond = _beyond(cursor, Order.created_at, Order.id)
    start = [] if days.start is None else [Order.created_at >= days.start]
    end = [] if days.end is None else [Order.created_at < days.end]
    if not cursor:
        return [*start, *end]
    return [*beyond, *end] if cursor.backwards else [*start, *beyond]


def _paid(days: Days) -> Conditions:
    start = [] if days.start is None else [Order.paid_at >= days.start]
    end = [] if days.end is None else [Order.paid_at < days.end]
    return [*start, *end]


def _delivered(search: Search) -> Conditions:
    if search.delivered is None:
        return []
    delivered: ColumnElement[bool] = type_coerce(Order.is_delivered, Boolean)
    return [delivered if search.delivered else ~delivered]


def _beyond(cursor: Cursor | None, created_at: Any, order_id: Any) -> Conditions:
    if cursor is None:
        return []
    here, there = tuple_(created_at, order_id), tuple_(cursor.created_at, cursor.id)
    return [here > there if cursor.backwards else here < there]


def _order(created_at: Any, order_id: Any, *, backwards: bool) -> list[Any]:
    columns = (created_at, order_id)
    return [part.asc() if backwards else part.desc() for part in columns]


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
