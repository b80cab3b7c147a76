"""The orders that answer a search: one statement, whatever is asked.

The list is walked in the order of an index (walks.py), or the candidates that something else finds
are sorted into its order (candidates.py). Neither reads the whole table of orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from flask_babel import gettext as _

from portal.database.postgresql import planned_once
from portal.extensions import db
from portal.models import CheckoutPage, OrderStatus, Staff
from portal.models.order import full_name
from portal.search import Search, lists, plenty
from portal.search.candidates import CAP, Ids, licensed
from portal.search.cursor import Cursor
from portal.search.lists import Found
from portal.search.matches import matched_in
from portal.search.scope import Scope
from portal.search.shape import Way, way_of

PAGE_SIZE = 50

Pages = Sequence[CheckoutPage]


class Result(NamedTuple):
    """What a list shows of an order that was found, in the order of its columns."""

    number: str
    created_at: datetime
    paid_at: datetime | None
    total: Decimal
    currency: str
    status: OrderStatus
    is_delivered: bool
    name: str
    is_erased: bool
    email: str | None
    company: str | None
    page: str
    matched: str  # the names of the fields that hold what was typed


@dataclass(frozen=True)
class Results:
    """One page of the answer. `count` stops at CAP + 1, and so does a list that is not walked."""

    results: list[Result] = field(default_factory=list)
    count: int = 0
    newer: Cursor | None = None
    older: Cursor | None = None
    way: Way = Way.WALK
    licenses: Sequence[bytes] = ()  # their digests, where whole ones were typed: the answer then
    may_be_license: bool = False  # whether one was typed, whoever has it, or nobody has looked

    @property
    def only_number(self) -> str | None:
        """The number of the order, where exactly one fits."""
        return self.results[0].number if self.count == 1 and self.results else None

    @property
    def is_capped(self) -> bool:
        """Whether there are more than are counted."""
        return self.count > CAP

    @property
    def listed(self) -> str | None:
        """Which of them are in the list, for people, where it leaves some out."""
        if not self.is_capped or self.way in (Way.WALK, Way.AWAITED):
            return None
        if self.way is Way.PAID:
            return _("the 10,000 that were paid last are listed")
        return _("the 10,000 with the highest numbers are listed")


def look_up(search: Search, staff: Staff, pages: Pages) -> Results:
    """The licenses that were typed, where they are those of orders that `staff` sees, or else the
    orders that are found; `pages` are the checkout pages that `staff` sees.

    Whether what was typed is some license is seen on the way, and it hardly ever is.
    """
    found = find(search, staff, pages)
    if not found.may_be_license:
        return found
    return replace(found, licenses=licenses_in(search, staff, pages))


def find(search: Search, staff: Staff, pages: Pages) -> Results:
    """The page of orders at `search.cursor`, by whatever else than a whole license in the box."""
    scope = Scope.of(search, staff, pages)
    if not scope.page_ids:
        return Results(may_be_license=True)
    are_plenty = plenty.is_known(search, scope, CAP + 1)
    listed = lists.listed(search, scope, PAGE_SIZE + 1, CAP + 1, counts=not are_plenty)
    more, rows, count = len(listed.orders) > PAGE_SIZE, listed.orders[:PAGE_SIZE], listed.found
    if search.cursor and search.cursor.backwards:
        rows = rows[::-1]
    titles = {page.id: page.title for page in pages}
    found = zip(rows, matched_in(search, rows), strict=True)
    results = [_result(row, titles[row.checkout_page_id], matched) for row, matched in found]
    if count > CAP:
        plenty.learn(search, scope, count)
    newer, older = _neighbours(search, rows, more=more)
    told = listed.is_some_license
    return Results(results, count, newer, older, way_of(search), may_be_license=told)


def _result(row: Found, page: str, matched: str) -> Result:
    return Result(
        number=row.number,
        created_at=row.created_at,
        paid_at=row.paid_at,
        total=row.total,
        currency=row.currency,
        status=row.status,
        is_delivered=row.is_delivered,
        name=full_name(row.first_name, row.last_name),
        is_erased=row.erased_at is not None,
        email=row.email,
        company=row.company,
        page=page,
        matched=matched,
    )


def licenses_in(search: Search, staff: Staff, pages: Pages) -> Sequence[bytes]:
    """The digests of the licenses in the box, as far as they are whole ones of orders that `staff`
    sees.

    What is the number of an order that they see is that number, whatever it is besides.
    """
    if not search.digests or search.license:
        return ()
    scope, count, numbers = Scope.of(Search(), staff, pages), len(search.digests), search.numbers
    statement = _licensed(scope, count, bool(numbers), db.engine.dialect.name)
    digests = {f"digest_{number}": digest for number, digest in enumerate(search.digests)}
    values = digests | ({"numbers": numbers} if numbers else {})
    return db.session.connection().scalars(statement, values).all()


@lru_cache(maxsize=500)
def _licensed(scope: Scope, count: int, but_numbers: bool, _dialect: str) -> Ids:
    return planned_once(licensed(scope, count, but_numbers=but_numbers))


def _neighbours(
    search: Search, rows: Sequence[Found], *, more: bool
) -> tuple[Cursor | None, Cursor | None]:
    """Where the newer and the older page begin, as far as there are any."""
    if not rows:
        return None, None
    first, last = rows[0], rows[-1]
    backwards = bool(search.cursor and search.cursor.backwards)
    has_newer = more if backwards else search.cursor is not None
    has_older = True if backwards else more
    newer = Cursor(first.created_at, first.id, backwards=True) if has_newer else None
    older = Cursor(last.created_at, last.id) if has_older else None
    return newer, older
