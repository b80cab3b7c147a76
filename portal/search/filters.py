"""What must hold of an order to be in a list, as conditions, and the order of the list."""

from typing import Any

from sqlalchemy import Boolean, Column, ColumnElement, UnaryExpression, tuple_, type_coerce
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.sql.visitors import replacement_traverse

from portal.extensions import db
from portal.models import Order
from portal.search.scope import Scope
from portal.search.shape import Shape, among

Conditions = list[ColumnElement[bool]]


def of_pages(scope: Scope) -> Conditions:
    """That an order is of one of the checkout pages of `scope`."""
    return [] if scope.everywhere else [among(Order.checkout_page_id, scope.page_ids)]


def has_status(shape: Shape) -> Conditions:
    """That an order has one of the ticked statuses."""
    return [among(Order.status, shape.statuses)] if shape.statuses else []


def created_in(shape: Shape, created_at: Any = Order.created_at) -> Conditions:
    """The range of creation times."""
    return [
        *_from(shape, created_at, "created_start"),
        *_until(shape, created_at, "created_end"),
    ]


def created_beyond(shape: Shape, created_at: Any, order_id: Any) -> Conditions:
    """The range of creation times from the cursor on, which takes the place of the bound on its
    side: given two bounds on one side, SQLite uses the first it sees and walks past the rest."""
    beyond = beyond_cursor(shape, created_at, order_id)
    if not beyond:
        return created_in(shape, created_at)
    if shape.backwards:
        return [*_until(shape, created_at, "created_end"), *beyond]
    return [*_from(shape, created_at, "created_start"), *beyond]


def paid_in(shape: Shape) -> Conditions:
    """The range of payment times."""
    return [
        *_from(shape, Order.paid_at, "paid_start"),
        *_until(shape, Order.paid_at, "paid_end"),
    ]


def _from(shape: Shape, column: Any, start: str) -> Conditions:
    return [column >= shape.bound(start)] if start in shape.filled else []


def _until(shape: Shape, column: Any, end: str) -> Conditions:
    return [column < shape.bound(end)] if end in shape.filled else []


def is_delivered(shape: Shape) -> Conditions:
    """That every item of an order is fulfilled, or that one is not, as asked."""
    if shape.delivered is None:
        return []
    delivered: ColumnElement[bool] = type_coerce(Order.is_delivered, Boolean)
    return [delivered if shape.delivered else ~delivered]


def beyond_cursor(shape: Shape, created_at: Any, order_id: Any) -> Conditions:
    """That an order comes after the cursor in the list, or before one that looks backwards."""
    if "cursor_id" not in shape.filled:
        return []
    here = tuple_(created_at, order_id)
    there = tuple_(shape.bound("cursor_created_at"), shape.bound("cursor_id"))
    return [here > there if shape.backwards else here < there]


def list_order(created_at: Any, order_id: Any, *, backwards: bool) -> list[Any]:
    """The order of the list, newest first, or from its end."""
    columns = (created_at, order_id)
    return [part.asc() if backwards else part.desc() for part in columns]


def only_checked(conditions: Conditions) -> Conditions:
    """`conditions` on orders that something else finds, so that no index is read for them.

    SQLite would rather read every order of a checkout page, and see whether it is among the few
    that were found. A plus before a column keeps it from that (https://sqlite.org/optoverview.html,
    "disqualifying WHERE clause terms"). PostgreSQL weighs the two well.
    """
    if db.engine.dialect.name != "sqlite":
        return conditions
    plus: Any = _with_plus
    return [replacement_traverse(condition, {}, plus) for condition in conditions]


def _with_plus(part: object, **_details: object) -> ColumnElement[Any] | None:
    if isinstance(part, Column) and part.table is Order.__table__:
        return UnaryExpression(part, operator=custom_op("+"), type_=part.type)
    return None
