"""The one statement that answers a search, made once for each shape of search."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, false, func, literal, select

from portal.database.connections import planned_once
from portal.extensions import db
from portal.models import Order
from portal.search import Search, walks
from portal.search.candidates import Ids, candidates
from portal.search.filters import beyond_cursor, list_order
from portal.search.scope import Scope
from portal.search.shape import Shape, Way, exactly, values_of

# What a list shows, and what its searches match in. Rows of these take a third of the time that
# whole orders take.
COLUMNS = (
    Order.id,
    Order.number,
    Order.external_id,
    Order.checkout_page_id,
    Order.status,
    Order.created_at,
    Order.paid_at,
    Order.currency,
    Order.total,
    Order.email,
    Order.first_name,
    Order.last_name,
    Order.company,
    Order.erased_at,
)

# Somebody who pastes a whole page of words asks a question of a shape that nobody asks again.
FEW_VALUES = 20


def rows(
    search: Search, scope: Scope, most: int, cap: int, *, counts: bool = True
) -> Sequence[Row[Any]]:
    """At most `most` orders from the cursor on, each with its COLUMNS, `is_delivered`, `by_license`
    (whether it has the license asked for), and `found`, how many there are in all, up to `cap`;
    where nobody `counts` them, `cap`."""
    values = values_of(search)
    shape = Shape.of(search, scope, values)
    make = _prepared if len(values) <= FEW_VALUES else _statement
    # Past the session, which looks for objects in the rows.
    return db.session.connection().execute(make(shape, most, cap, counts), values).all()


def _statement(shape: Shape, most: int, cap: int, counts: bool) -> Select[*tuple[Any, ...]]:
    shown, total = _shown_and_counted(shape, most, cap)
    if not counts:
        total = literal(cap)
    place = shown.subquery()
    by_license = place.c.by_license == 1 if shape.way is Way.WORDS else false()
    question = (
        select(
            *COLUMNS,
            Order.is_delivered.label("is_delivered"),
            by_license.label("by_license"),
            total.label("found"),
        )
        .join(place, place.c.id == Order.id)
        .order_by(*list_order(Order.created_at, Order.id, backwards=shape.backwards))
    )
    return planned_once(question) if shape.is_planned_once else question


_prepared = lru_cache(maxsize=500)(_statement)


def _shown_and_counted(shape: Shape, most: int, cap: int) -> tuple[Ids, Any]:
    """The ids to show, and how many there are in all, up to `cap`."""
    if shape.way in (Way.WALK, Way.AWAITED):
        return walks.shown(shape, most), walks.counted(shape, cap)
    every = candidates(shape)
    shown = (
        select(every.c.id, every.c.by_license)
        .where(*beyond_cursor(shape, every.c.created_at, every.c.id))
        .order_by(*list_order(every.c.created_at, every.c.id, backwards=shape.backwards))
        .limit(exactly(most))
    )
    few = select(every.c.id).limit(exactly(cap)).subquery()
    return shown, select(func.count()).select_from(few).scalar_subquery()
