"""The one statement that answers a search.

To put one together takes SQLAlchemy some milliseconds, and to look it up among those that it has
compiled another. So it is made once for all who ask the same, wherever in the list they are; but
one with words of the search box in it is forgotten with the request.
"""

from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Select, bindparam, false, func, select, union

from portal.database import BigId, UTCDateTime
from portal.extensions import db
from portal.models import Order
from portal.search import Search, walks
from portal.search.candidates import candidates, owns_license
from portal.search.cursor import Cursor
from portal.search.filters import Scope, beyond_cursor, list_order

# In the place of a cursor's values, which are given when the statement is run.
ANYWHERE = (
    cast(Any, bindparam("cursor_created_at", type_=UTCDateTime)),
    cast(Any, bindparam("cursor_id", type_=BigId)),
)
PLACES = {backwards: Cursor(*ANYWHERE, backwards=backwards) for backwards in (False, True)}


def rows(search: Search, scope: Scope, most: int, cap: int) -> Any:
    """At most `most` orders from the cursor on, each with whether it is delivered, whether it has
    the license asked for, and how many there are in all, up to `cap`."""
    cursor = search.cursor
    if search.q or search.license or (cursor and search.created):
        return db.session.execute(_statement(search, scope, most, cap)).all()
    place = search.at(PLACES[cursor.backwards]) if cursor else search
    statement = _prepared(place, scope, most, cap, db.engine.dialect.name)
    values = {"cursor_created_at": cursor.created_at, "cursor_id": cursor.id} if cursor else {}
    return db.session.execute(statement, values).all()


@lru_cache(maxsize=500)
def _prepared(search: Search, scope: Scope, most: int, cap: int, _dialect: str) -> Select[Any]:
    return _statement(search, scope, most, cap)


def _statement(search: Search, scope: Scope, most: int, cap: int) -> Select[Any]:
    shown, counted = _ids(search, scope, most, cap)
    place = shown.subquery()
    total = select(func.count()).select_from(counted.subquery()).scalar_subquery()
    backwards = bool(search.cursor and search.cursor.backwards)
    by_license = owns_license(search) if search.q or search.license else false()
    return (
        select(Order, Order.is_delivered, by_license, total)
        .join(place, place.c.id == Order.id)
        .order_by(*list_order(Order.created_at, Order.id, backwards=backwards))
    )


def _ids(search: Search, scope: Scope, most: int, cap: int) -> tuple[Any, Any]:
    """The ids to show and the ids to count."""
    ways = candidates(search, scope)
    if ways is None:
        return walks.shown(search, scope, most), walks.counted(search, scope, cap)
    parts = [way.subquery() for way in ways]
    every = union(*(select(part.c.id, part.c.created_at) for part in parts)).cte("candidates")
    backwards = bool(search.cursor and search.cursor.backwards)
    shown = (
        select(every.c.id)
        .where(*beyond_cursor(search.cursor, every.c.created_at, every.c.id))
        .order_by(*list_order(every.c.created_at, every.c.id, backwards=backwards))
        .limit(most)
    )
    return shown, select(every.c.id).limit(cap)
