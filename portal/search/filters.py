"""What must hold of an order to be in a list, as conditions, and the order of the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, tuple_, type_coerce

from portal.models import CheckoutPage, Order, Staff
from portal.search import Search
from portal.search.cursor import Cursor
from portal.search.days import Days

Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True)
class Scope:
    """The ids of the checkout pages that a search is about; `everywhere` where these are all."""

    page_ids: tuple[int, ...]
    everywhere: bool

    @classmethod
    def of(cls, search: Search, staff: Staff, pages: Sequence[CheckoutPage]) -> "Scope":
        """Of the `pages` that `staff` sees, those that `search` is about."""
        wanted = tuple(page.id for page in pages if search.page in ("", page.code))
        return cls(wanted, everywhere=staff.sees_all and not search.page)

    @property
    def conditions(self) -> Conditions:
        """That an order is of one of these pages."""
        if self.everywhere:
            return []
        return [Order.checkout_page_id.in_(self.page_ids)]


def has_status(search: Search) -> Conditions:
    """That an order has one of the ticked statuses."""
    return [Order.status.in_(search.statuses)] if search.statuses else []


def created_in(days: Days, cursor: Cursor | None) -> Conditions:
    """The range of creation times. A cursor takes the place of the bound on its side: given two
    bounds on one side, SQLite uses the first it sees and walks past the rest."""
    start = [] if days.start is None else [Order.created_at >= days.start]
    end = [] if days.end is None else [Order.created_at < days.end]
    if not cursor:
        return [*start, *end]
    beyond = beyond_cursor(cursor, Order.created_at, Order.id)
    if cursor.backwards:
        return [*end, *(start if days.start and cursor.created_at < days.start else beyond)]
    return [*start, *(end if days.end and cursor.created_at >= days.end else beyond)]


def paid_in(days: Days) -> Conditions:
    """The range of payment times."""
    start = [] if days.start is None else [Order.paid_at >= days.start]
    end = [] if days.end is None else [Order.paid_at < days.end]
    return [*start, *end]


def is_delivered(search: Search) -> Conditions:
    """That every item of an order is fulfilled, or that one is not, as asked."""
    if search.delivered is None:
        return []
    delivered: ColumnElement[bool] = type_coerce(Order.is_delivered, Boolean)
    return [delivered if search.delivered else ~delivered]


def beyond_cursor(cursor: Cursor | None, created_at: Any, order_id: Any) -> Conditions:
    """That an order comes after `cursor` in the list, or before one that looks backwards."""
    if cursor is None:
        return []
    here, there = tuple_(created_at, order_id), tuple_(cursor.created_at, cursor.id)
    return [here > there if cursor.backwards else here < there]


def list_order(created_at: Any, order_id: Any, *, backwards: bool) -> list[Any]:
    """The order of the list, newest first, or from its end."""
    columns = (created_at, order_id)
    return [part.asc() if backwards else part.desc() for part in columns]
