"""Which of several searches is the first to find anything, in one statement for all of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, case, select
from sqlalchemy.sql.visitors import replacement_traverse

from portal.extensions import db
from portal.models import CheckoutPage, Staff
from portal.search import Search
from portal.search.lists import shown_and_counted
from portal.search.scope import Scope
from portal.search.shape import Shape, exactly, values_of


def first_found(
    searches: Sequence[Search], staff: Staff, pages: Sequence[CheckoutPage]
) -> Search | None:
    """The first of `searches`, which differ by what is in the box alone, that any order fits which
    `staff` sees on these `pages`, or None."""
    scope = Scope.of(searches[0], staff, pages) if searches else None
    if scope is None or not scope.page_ids:
        return None
    finds = [(_finds(search, scope), exactly(place)) for place, search in enumerate(searches)]
    place = db.session.connection().scalar(select(case(*finds)))
    return None if place is None else searches[place]


def _finds(search: Search, scope: Scope) -> ColumnElement[bool]:
    values = values_of(search)
    shown, _count = shown_and_counted(Shape.of(search, scope, values), 1, 1)
    return _filled(shown.exists(), values)


def _filled(question: ColumnElement[bool], values: dict[str, Any]) -> ColumnElement[bool]:
    """`question` with its `values` in it, so that it may stand beside others of the same names."""

    def value(element: Any, **_options: Any) -> Any:
        if not isinstance(element, BindParameter) or element.key not in values:
            return None
        given = values[element.key]
        return bindparam(element.key, given, element.type, unique=True, expanding=element.expanding)

    return replacement_traverse(question, {}, value)
