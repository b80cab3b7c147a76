"""What of a search its statement depends on, apart from the values that it is run with.

To put a statement together takes SQLAlchemy a millisecond, and to look it up among those that it
has compiled another half: as long as the database takes for the answer. So a statement is made once
for all searches of one shape, whoever asks and whatever they typed.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, cast

from sqlalchemy import bindparam
from sqlalchemy.types import LargeBinary, Text

from portal.database.types import BigId, UTCDateTime
from portal.extensions import db
from portal.models import OrderStatus
from portal.search import Search
from portal.search.scope import Scope

# Letters of an ending that may be rare by itself, and the words that are looked for beside it.
ENDING = 6
FEW_WORDS = 4


class Way(Enum):
    """How the orders are found that answer a search."""

    WALK = auto()  # in the order of the list
    WORDS = auto()  # by what is in the box
    PAID = auto()  # by when they were paid
    AWAITED = auto()  # in the order of the list, through those that somebody waits for


def way_of(search: Search) -> Way:
    """How the orders are found that answer `search`."""
    if search.q or search.license:
        return Way.WORDS
    if search.paid:
        days = search.created.count
        few = days is not None and days <= (search.paid.count or days)
        return Way.WALK if few else Way.PAID
    return Way.AWAITED if search.delivered is False else Way.WALK


@dataclass(frozen=True)
class Shape:
    """The shape of a search by someone; `filled` are the names of its values."""

    way: Way
    filled: tuple[str, ...]
    statuses: tuple[OrderStatus, ...]
    delivered: bool | None
    backwards: bool
    scope: Scope
    dialect: str

    @classmethod
    def of(cls, search: Search, scope: Scope, values: dict[str, Any]) -> "Shape":
        """The shape of `search` among the orders of `scope`, run with `values`."""
        return cls(
            way=way_of(search),
            filled=tuple(values),
            statuses=search.statuses,
            delivered=search.delivered,
            backwards=bool(search.cursor and search.cursor.backwards),
            scope=scope,
            dialect=db.engine.dialect.name,
        )


def values_of(search: Search) -> dict[str, Any]:
    """What is asked for, by name; what is not filled is not there."""
    values = {
        "created_start": search.created.start,
        "created_end": search.created.end,
        "paid_start": search.paid.start,
        "paid_end": search.paid.end,
        "numbers": search.numbers,
        "digests": search.digests,
        "tail_digests": search.tail_digests,
        **_cursor_values(search),
        **(_word_values(search) if len(search.numbers) < 2 else {}),
    }
    return {name: value for name, value in values.items() if value not in (None, [])}


def _word_values(search: Search) -> dict[str, str]:
    """No word has a sign in it that means something to either database, see searchable()."""
    words = search.words
    if db.engine.dialect.name != "sqlite":
        return {f"word_{number}": f"%{word}%" for number, word in enumerate(words)}
    if not words:
        return {}
    phrases = {"phrases": " AND ".join(f'"{word}"' for word in words)}
    return phrases | ({} if search.numbers else _ending(words))


def _ending(words: list[str]) -> dict[str, str]:
    """The ending of the longest word, where that is long, and the words to make sure of."""
    longest = max(words, key=len)
    if len(longest) <= ENDING or len(words) > FEW_WORDS:
        return {}
    whole = {f"whole_{number}": word for number, word in enumerate(words)}
    return whole | {"ending": f'"{longest[-ENDING:]}"'}


def _cursor_values(search: Search) -> dict[str, Any]:
    """The place of the cursor, unless all days that are asked for lie behind it: given two bounds
    on one side, SQLite uses the first it sees and walks past the rest."""
    cursor, start, end = search.cursor, search.created.start, search.created.end
    if cursor is None:
        return {}
    if cursor.backwards and start and cursor.created_at < start:
        return {}
    if not cursor.backwards and end and cursor.created_at >= end:
        return {}
    return {"cursor_created_at": cursor.created_at, "cursor_id": cursor.id}


TYPES = {
    "numbers": BigId,
    "cursor_id": BigId,
    "digests": LargeBinary(16),
    "tail_digests": LargeBinary(16),
}
TEXTS = ("word", "phrases", "whole", "ending")
LISTS = {"numbers", "digests", "tail_digests"}


def given(name: str) -> Any:
    """The value of this name, which is told when the statement is run."""
    is_text = name.startswith(TEXTS)
    kind: Any = TYPES.get(name, Text() if is_text else UTCDateTime())
    return cast(Any, bindparam(name, type_=kind, expanding=name in LISTS))
