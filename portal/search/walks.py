"""The orders of a list in the order of an index, newest first: a walk that stops after a page.

There is one walk for each checkout page and status, because an index that begins with these has
each of them in the order of the list; the database merges them and reads no more than it shows.
"""

from datetime import UTC, datetime
from itertools import product
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all

from portal.database import UTCDateTime
from portal.extensions import db
from portal.models import Order, OrderStatus
from portal.search.filters import (
    Conditions,
    created_beyond,
    created_in,
    has_status,
    is_delivered,
    list_order,
    of_pages,
    paid_in,
)
from portal.search.shape import Shape

# SQLite takes 500 at most in one statement. Who sees that many pages sees a good part of all
# orders, and walks past the others.
MOST_WALKS = 400

# What is counted is counted up to a limit, so those come first that most probably are delivered;
# or that are not, when these are wanted.
BY_DELIVERY = (
    OrderStatus.PAID,
    OrderStatus.DELETED,
    OrderStatus.TERMINATED,
    OrderStatus.NOT_PAID,
)

# Where the list ends, seen forwards and backwards.
ENDS = {False: datetime.min.replace(tzinfo=UTC), True: datetime.max.replace(tzinfo=UTC)}

Ids = Select[*tuple[Any, ...]]


def shown(shape: Shape, most: int) -> Ids:
    """At most `most` ids from the cursor on, in the order of the list."""
    columns = (Order.created_at, Order.id)
    parts = _parts(shape, created_beyond(shape))
    if len(parts) == 1:
        return parts[0].order_by(*list_order(*columns, backwards=shape.backwards)).limit(most)
    if shape.delivered is None:
        return _in_order(shape, parts, most)
    return _in_order(shape, _near(shape, parts, most), most)


def _in_order(shape: Shape, parts: list[Ids], most: int) -> Ids:
    columns = (Order.created_at, Order.id)
    every = merged(parts, list_order(*columns, backwards=shape.backwards), most)
    ordered = list_order(every.c.created_at, every.c.id, backwards=shape.backwards)
    return select(every.c.id, every.c.created_at).order_by(*ordered).limit(most)


def _near(shape: Shape, parts: list[Ids], most: int) -> list[Ids]:
    """`parts`, of which those that hardly find anything walk no further than the first ones have
    to, which find plenty: an order that is not paid is hardly ever delivered."""
    likely = len(parts) // len(_statuses(shape))
    first = _in_order(shape, parts[:likely], most).subquery()
    ordered = list_order(first.c.created_at, first.c.id, backwards=shape.backwards)
    last = select(first.c.created_at).order_by(*ordered).offset(most - 1).limit(1)
    edge = func.coalesce(last.scalar_subquery(), literal(ENDS[shape.backwards], UTCDateTime()))
    once = select(select(edge.label("created_at")).cte("edge").c.created_at).scalar_subquery()
    near = Order.created_at <= once if shape.backwards else Order.created_at >= once
    return [*parts[:likely], *(part.where(near) for part in parts[likely:])]


def counted(shape: Shape, most: int) -> Any:
    """At most `most` ids of the whole list: one walk after the other, until these are enough."""
    order = list_order(Order.created_at, Order.id, backwards=False)
    parts = _parts(shape, created_in(shape))
    if len(parts) == 1:
        return parts[0].order_by(*order).limit(most)
    return select(merged(parts, order, most).c.id).limit(most)


def merged(parts: list[Ids], order: list[Any], most: int) -> Any:
    """All of `parts`, of which no more than `most` are needed by `order`.

    SQLite merges sorted walks by itself. PostgreSQL reads each of them as far as it is told.
    """
    if db.engine.dialect.name != "sqlite":
        parts = [select(part.order_by(*order).limit(most).subquery()) for part in parts]
    return (union_all(*parts) if len(parts) > 1 else parts[0]).subquery()


def _parts(shape: Shape, created: Conditions) -> list[Ids]:
    bounds = [*created, *paid_in(shape), *is_delivered(shape)]
    every = select(Order.id, Order.created_at)
    return [every.where(*walk, *bounds) for walk in _walks(shape)]


def _walks(shape: Shape) -> list[Conditions]:
    statuses = _statuses(shape)
    if shape.scope.everywhere:
        by_status = shape.statuses or shape.delivered is not None
        return [[Order.status == status] for status in statuses] if by_status else [[]]
    pairs = list(product(statuses, shape.scope.page_ids))
    if len(pairs) > MOST_WALKS:
        return [[*of_pages(shape.scope), *has_status(shape)]]
    return [
        [Order.checkout_page_id == page_id, Order.status == status] for status, page_id in pairs
    ]


def _statuses(shape: Shape) -> list[OrderStatus]:
    ordered = BY_DELIVERY[::-1] if shape.delivered is False else BY_DELIVERY
    return [status for status in ordered if status in (shape.statuses or OrderStatus)]
