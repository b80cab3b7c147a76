"""The orders of a list in the order of an index, newest first: a walk that stops after a page.

There is one walk for each checkout page and status, because an index that begins with these has
each of them in the order of the list; the database merges them and reads no more than it shows.
"""

from itertools import product
from typing import Any

from sqlalchemy import Select, select, union_all

from portal.extensions import db
from portal.models import Order, OrderStatus
from portal.search import Search
from portal.search.cursor import Cursor
from portal.search.filters import (
    Conditions,
    Scope,
    created_in,
    has_status,
    is_delivered,
    list_order,
    paid_in,
)

# SQLite takes 500 at most in one statement. Who sees that many pages sees a good part of all
# orders, and walks past the others.
MOST_WALKS = 400

Ids = Select[*tuple[Any, ...]]


def shown(search: Search, scope: Scope, most: int) -> Ids:
    """At most `most` ids from the cursor on, in the order of the list."""
    backwards = bool(search.cursor and search.cursor.backwards)
    columns = (Order.created_at, Order.id)
    parts = _parts(search, scope, search.cursor)
    if len(parts) == 1:
        return parts[0].order_by(*list_order(*columns, backwards=backwards)).limit(most)
    every = merged(parts, list_order(*columns, backwards=backwards), most)
    ordered = list_order(every.c.created_at, every.c.id, backwards=backwards)
    return select(every.c.id, every.c.created_at).order_by(*ordered).limit(most)


def counted(search: Search, scope: Scope, most: int) -> Any:
    """At most `most` ids of the whole list: one walk after the other, until these are enough."""
    order = list_order(Order.created_at, Order.id, backwards=False)
    every = merged(_parts(search, scope, None), order, most)
    return select(every.c.id).limit(most)


def merged(parts: list[Ids], order: list[Any], most: int) -> Any:
    """All of `parts`, of which no more than `most` are needed by `order`.

    SQLite merges sorted walks by itself. PostgreSQL reads each of them as far as it is told.
    """
    if db.engine.dialect.name != "sqlite":
        parts = [select(part.order_by(*order).limit(most).subquery()) for part in parts]
    return (union_all(*parts) if len(parts) > 1 else parts[0]).subquery()


def _parts(search: Search, scope: Scope, cursor: Cursor | None) -> list[Ids]:
    bounds = [
        *created_in(search.created, cursor),
        *paid_in(search.paid),
        *is_delivered(search),
    ]
    every = select(Order.id, Order.created_at)
    return [every.where(*walk, *bounds) for walk in _walks(search, scope)]


def _walks(search: Search, scope: Scope) -> list[Conditions]:
    if scope.everywhere:
        return [[Order.status == status] for status in search.statuses] or [[]]
    pairs = list(product(scope.page_ids, search.statuses or OrderStatus))
    if len(pairs) > MOST_WALKS:
        return [[*scope.conditions, *has_status(search)]]
    return [
        [Order.checkout_page_id == page_id, Order.status == status] for page_id, status in pairs
    ]
