"""The one statement that answers a search, made once for each shape of search."""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, case, false, func, literal, select, true

from portal.database.postgresql import planned_once
from portal.extensions import db
from portal.models import License, Order, OrderStatus
from portal.search import Search, walks
from portal.search.candidates import Ids, candidates
from portal.search.filters import beyond_cursor, list_order
from portal.search.scope import Scope
from portal.search.shape import Shape, Way, exactly, one_given, values_of


class Found(NamedTuple):
    """An order that was found: what a list shows of it and its search matches in, whether it has
    the license that was asked for, and what is said of all of them, see Listed.

    Rows of these take a third of the time that whole orders take, and to ask SQLAlchemy's own rows
    for each value would take as long as a tenth of the page.
    """

    id: int
    number: str
    external_id: str | None
    checkout_page_id: int
    status: OrderStatus
    created_at: datetime
    paid_at: datetime | None
    currency: str
    total: Decimal
    email: str | None
    first_name: str | None
    last_name: str | None
    company: str | None
    erased_at: datetime | None
    is_delivered: bool
    by_license: bool
    is_some_license: bool
    found: int | None  # which stands for more than a few, where no more are looked for


class Listed(NamedTuple):
    """The orders of a page, how many were `found` in all, and whether what was typed is some
    license, whoever has it."""

    orders: list[Found]
    found: int
    is_some_license: bool


# Those that are the order's own, which come first.
COLUMNS = tuple(getattr(Order, name) for name in Found._fields if name in Order.__table__.c)

# Somebody who pastes a whole page of words asks a question of a shape that nobody asks again.
FEW_VALUES = 20


def listed(search: Search, scope: Scope, most: int, cap: int, *, counts: bool = True) -> Listed:
    """At most `most` orders from the cursor on. They are counted up to `cap`; where nobody `counts`
    them, `cap` is told. Common words cost a second statement on PostgreSQL."""
    values = values_of(search)
    shape = Shape.of(search, scope, values)
    make = _prepared if len(values) <= FEW_VALUES else _statement
    few = shape.for_few
    rows = _ask(make(few or shape, most, cap, counts), values)
    is_some_license = bool(rows) and rows[0].is_some_license
    if few and rows[0].found is None:  # which says that there are more than a few
        rows = _ask(make(shape, most, cap, counts), values)
    orders = [row for row in rows if row.id is not None]
    return Listed(orders, (orders[0].found if orders else None) or 0, is_some_license)


def _ask(question: Select[*tuple[Any, ...]], values: dict[str, Any]) -> list[Found]:
    # Past the session, which looks for objects in the rows.
    return list(map(Found._make, db.session.connection().execute(question, values).all()))


def _statement(shape: Shape, most: int, cap: int, counts: bool) -> Select[*tuple[Any, ...]]:
    shown, total = shown_and_counted(shape, most, cap)
    if not counts:
        total = literal(cap)
    place = shown.subquery()
    by_license = place.c.by_license == 1 if shape.way is Way.WORDS else false()
    # Words that are in more than a few orders have been asked about before.
    asks_for_license = "typed_digests" in shape.filled and shape.for_few is None
    question = (
        select(
            *COLUMNS,
            Order.is_delivered.label("is_delivered"),
            by_license.label("by_license"),
            (_is_some_license() if asks_for_license else false()).label("is_some_license"),
            total.label("found"),
        )
        .select_from(_with_orders(place, or_none=shape.if_few or asks_for_license))
        .order_by(*list_order(Order.created_at, Order.id, backwards=shape.backwards))
    )
    return planned_once(question) if shape.is_planned_once else question


def _with_orders(place: Any, *, or_none: bool) -> Any:
    """The orders with the ids in `place`; or a row of nothing where there are none."""
    if not or_none:
        return place.join(Order, place.c.id == Order.id)
    one = select(exactly(1).label("one")).subquery()
    return one.outerjoin(place, true()).outerjoin(Order, place.c.id == Order.id)


def _is_some_license() -> Any:
    return select(License.id).where(one_given(License.digest, "typed_digests")).exists()


_prepared = lru_cache(maxsize=500)(_statement)


def shown_and_counted(shape: Shape, most: int, cap: int) -> tuple[Ids, Any]:
    """The ids to show, and how many there are in all, up to `cap`."""
    if shape.way in (Way.WALK, Way.AWAITED):
        return walks.shown(shape, most), walks.counted(shape, cap)
    candidate = candidates(shape)
    every = candidate.found
    shown = (
        select(every.c.id, every.c.by_license)
        .where(*beyond_cursor(shape, every.c.created_at, every.c.id))
        .order_by(*list_order(every.c.created_at, every.c.id, backwards=shape.backwards))
        .limit(exactly(most))
    )
    few = select(every.c.id).limit(exactly(cap)).subquery()
    count = select(func.count()).select_from(few).scalar_subquery()
    return shown, case((candidate.are_all, count)) if shape.if_few else count
