"""The orders of a list in the order of an index, newest first: a walk that stops after a page.

There is one walk for each checkout page and status, because an index that begins with these has
each of them in the order of the list; the database merges them and reads no more than it shows.
What is not delivered is walked in the same way, in the small table of the orders that are awaited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

from sqlalchemy import Select, case, func, literal, select, union_all

from portal.database.types import UTCDateTime
from portal.extensions import db
from portal.models import AwaitedOrder, Order, OrderStatus
from portal.search.filters import (
    Conditions,
    created_beyond,
    created_in,
    is_delivered,
    list_order,
    paid_in,
)
from portal.search.shape import Shape, Way, among, exactly

# SQLite takes 500 at most in one statement. Who sees that many pages sees a good part of all
# orders, and walks past the others.
MOST_WALKS = 400

# What is counted is counted up to a limit, so those come first that most probably are delivered.
BY_DELIVERY = (
    OrderStatus.PAID,
    OrderStatus.DELETED,
    OrderStatus.TERMINATED,
    OrderStatus.NOT_PAID,
)

# Of the newest orders, one in so many may be awaited for the others to be counted at a glance, and
# so many walks are looked at in this way.
SPARE = 5
FEW_WALKS = 4

# Where the list ends, seen forwards and backwards.
ENDS = {False: datetime.min.replace(tzinfo=UTC), True: datetime.max.replace(tzinfo=UTC)}

Ids = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Walked:
    """What is walked, by its columns."""

    id: Any
    created_at: Any
    status: Any
    checkout_page_id: Any

    def ordered(self, shape: Shape) -> list[Any]:
        """The order of the list."""
        return list_order(self.created_at, self.id, backwards=shape.backwards)


ORDERS = Walked(Order.id, Order.created_at, Order.status, Order.checkout_page_id)
AWAITED = Walked(
    AwaitedOrder.order_id.label("id"),
    AwaitedOrder.created_at,
    AwaitedOrder.status,
    AwaitedOrder.checkout_page_id,
)


def shown(shape: Shape, most: int) -> Ids:
    """At most `most` ids from the cursor on, in the order of the list."""
    walked = _walked(shape)
    parts = _parts(shape, walked, created_beyond(shape, walked.created_at, walked.id))
    if len(parts) == 1:
        return parts[0].order_by(*walked.ordered(shape)).limit(exactly(most))
    if shape.delivered:
        parts = _near(shape, parts, most)
    return _in_order(shape, parts, most)


def _in_order(shape: Shape, parts: list[Ids], most: int) -> Ids:
    every = merged(parts, _walked(shape).ordered(shape), most)
    ordered = list_order(every.c.created_at, every.c.id, backwards=shape.backwards)
    return select(every.c.id, every.c.created_at).order_by(*ordered).limit(exactly(most))


def _near(shape: Shape, parts: list[Ids], most: int) -> list[Ids]:
    """`parts`, of which those that hardly find anything walk no further than the first ones have
    to, which find plenty: an order that is not paid is hardly ever delivered."""
    likely = _likely_count(shape, parts)
    first = _in_order(shape, parts[:likely], most).subquery()
    ordered = list_order(first.c.created_at, first.c.id, backwards=shape.backwards)
    last = select(first.c.created_at).order_by(*ordered).offset(exactly(most - 1)).limit(exactly(1))
    edge = func.coalesce(last.scalar_subquery(), literal(ENDS[shape.backwards], UTCDateTime()))
    once = select(select(edge.label("created_at")).cte("edge").c.created_at).scalar_subquery()
    near = Order.created_at <= once if shape.backwards else Order.created_at >= once
    return [*parts[:likely], *(part.where(near) for part in parts[likely:])]


def counted(shape: Shape, most: int) -> Any:
    """How many there are in the whole list, up to `most`."""
    walked = _walked(shape)
    order = list_order(walked.created_at, walked.id, backwards=False)
    parts = _parts(shape, walked, created_in(shape, walked.created_at))
    if len(parts) == 1:
        parts = [parts[0].order_by(*order).limit(exactly(most))]
    many: list[Any] = []
    if shape.delivered and not paid_in(shape):
        likely = zip(_likely(shape, ORDERS), _likely(shape, AWAITED), strict=True)
        many = [(_surely(*pair, most), most) for pair in likely]
    parts = _bounded(parts, order, most)
    if shape.dialect == "sqlite":
        # Whether there are so many is seen in half the time that it takes to count them, and fewer
        # are counted one walk after the other.
        last = select(merged(parts, order, most).c.id).offset(exactly(most - 1)).limit(exactly(1))
        many.append((last.exists(), most))
        counts = [_count(part.subquery()) for part in parts]
        count = select(func.sum(union_all(*counts).subquery().c.count)).scalar_subquery()
    else:
        every = union_all(*parts) if len(parts) > 1 else parts[0]
        count = _count(every.limit(exactly(most)).subquery()).scalar_subquery()
    return case(*many, else_=count) if many else count


def _count(found: Any) -> Any:
    return select(func.count().label("count")).select_from(found)


def _surely(orders: Ids, awaited: Ids, most: int) -> Any:
    """Whether `most` of the `orders` of one walk are delivered for certain: so many of the newest
    there are besides those of them that are `awaited`, and nobody has to look at the items of each.
    Where it is not true, there may be as many still."""
    spare = most // SPARE
    newest = orders.order_by(*list_order(Order.created_at, Order.id, backwards=False)).subquery()
    nth = select(newest.c.created_at).offset(exactly(most + spare - 1)).limit(exactly(1))
    last = nth.subquery()
    since = awaited.where(AwaitedOrder.created_at >= last.c.created_at).correlate(last)
    number = select(func.count()).select_from(since.subquery()).scalar_subquery()
    return select(number <= spare).select_from(last).scalar_subquery()


def _likely(shape: Shape, walked: Walked) -> list[Ids]:
    """Some walks of the orders that most probably are delivered, whether they are or not."""
    walks = _walks(shape, walked)
    created = created_in(shape, walked.created_at)
    every = select(walked.id, walked.created_at)
    likely = walks[: min(_likely_count(shape, walks), FEW_WALKS)]
    return [every.where(*walk, *created) for walk in likely]


def _likely_count(shape: Shape, walks: Sequence[object]) -> int:
    """How many of `walks`, which are sorted by status, find orders of the likeliest one."""
    return max(len(walks) // len(_statuses(shape)), 1)


def merged(parts: list[Ids], order: list[Any], most: int) -> Any:
    """All of `parts`, of which no more than `most` are needed by `order`."""
    parts = _bounded(parts, order, most)
    return (union_all(*parts) if len(parts) > 1 else parts[0]).subquery()


def _bounded(parts: list[Ids], order: list[Any], most: int) -> list[Ids]:
    """SQLite merges sorted walks by itself. PostgreSQL reads each of them as far as it is told."""
    if db.engine.dialect.name == "sqlite":
        return parts
    return [select(part.order_by(*order).limit(exactly(most)).subquery()) for part in parts]


def _walked(shape: Shape) -> Walked:
    return AWAITED if shape.way is Way.AWAITED else ORDERS


def _parts(shape: Shape, walked: Walked, created: Conditions) -> list[Ids]:
    bounds = created if walked is AWAITED else [*created, *paid_in(shape), *is_delivered(shape)]
    every = select(walked.id, walked.created_at)
    return [every.where(*walk, *bounds) for walk in _walks(shape, walked)]


def _walks(shape: Shape, walked: Walked) -> list[Conditions]:
    statuses = _statuses(shape)
    if shape.scope.everywhere:
        by_status = shape.statuses or shape.delivered
        return [[walked.status == exactly(status)] for status in statuses] if by_status else [[]]
    page_ids = shape.scope.page_ids
    pairs = list(product(statuses, page_ids))
    if len(pairs) > MOST_WALKS:
        has_status = [among(walked.status, shape.statuses)] if shape.statuses else []
        return [[among(walked.checkout_page_id, page_ids), *has_status]]
    return [
        [walked.checkout_page_id == exactly(page_id), walked.status == exactly(status)]
        for status, page_id in pairs
    ]


def _statuses(shape: Shape) -> list[OrderStatus]:
    return [status for status in BY_DELIVERY if status in (shape.statuses or OrderStatus)]
