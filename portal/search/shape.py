"""What of a search its statement depends on, apart from the values that it is run with.

To put a statement together takes SQLAlchemy a millisecond, and to look it up among those that it
has compiled another half: as long as the database takes for the answer. So a statement is made once
for all searches of one shape, whoever asks and whatever they typed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Self, cast

from sqlalchemy import any_, bindparam, literal_column
from sqlalchemy import cast as cast_in_sql
from sqlalchemy.types import ARRAY, BigInteger, LargeBinary, Text

from portal.database.postgresql import unseen
from portal.database.types import UTCDateTime
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
    if_few: bool = False  # whether words are only looked for as far as few orders have them

    @property
    def is_planned_once(self) -> bool:
        """Whether PostgreSQL's one plan for all values is as good as one for each. It must know how
        many orders have a word, and of two ranges of days, which has the fewer."""
        kinds = {name.partition("_")[0] for name in self.filled}
        return self.if_few or ("word" not in kinds and not kinds >= {"created", "paid"})

    @property
    def for_few(self) -> Self | None:
        """The same as far as few orders have the words, which PostgreSQL has a good plan for before
        it knows them; None where there is no such question."""
        has_words = any(name.startswith("word") for name in self.filled)
        return replace(self, if_few=True) if has_words and not self.if_few else None

    def bound(self, name: str) -> Any:
        """The bound of this name, of a range or of the list."""
        is_unseen = self.dialect == "postgresql" and self.is_planned_once
        return unseen(given(name)) if is_unseen else given(name)

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
        "digests": search.digests if _may_be_license(search) else [],
        "typed_digests": [] if search.license else search.digests,
        "tail_digests": search.tail_digests,
        **_cursor_values(search),
        **(_word_values(search) if len(search.numbers) < 2 else {}),
    }
    return {name: value for name, value in values.items() if value not in (None, [])}


def _may_be_license(search: Search) -> bool:
    """Words that are a whole license lead to it, see results.licenses_in; a number is one first."""
    return bool(search.license or search.numbers or not search.words)


def _word_values(search: Search) -> dict[str, str]:
    """No word has a sign in it that means something to either database, see searchable()."""
    words = search.words
    if not words:
        return {}
    dialect = db.engine.dialect.name
    sqlite = dialect == "sqlite"
    asked = (
        {"phrases": " AND ".join(f'"{word}"' for word in words)}
        if sqlite
        else {f"word_{number}": f"%{word}%" for number, word in enumerate(words)}
    )
    ending = "" if search.numbers else _telling_ending(words, dialect)
    if ending:
        asked["ending"] = f'"{ending}"' if sqlite else f"%{ending}%"
        asked |= {f"whole_{number}": word for number, word in enumerate(words)}
    return asked


def _telling_ending(words: list[str], dialect: str) -> str:
    """The ending of the longest word, where that may be rare by itself, as of codes that begin
    alike; else nothing. There are not many words, which are all made sure of. On PostgreSQL only
    codes are quicker found so."""
    longest = max(words, key=len)
    ending = longest[-ENDING:]
    if dialect == "postgresql":
        if not any(map(str.isdigit, ending)):
            return ""
        # Its index knows letters by threes, and too many codes have the same few of them.
        if len({ending[start : start + 3] for start in range(ENDING - 2)}) < ENDING - 2:
            ending = longest[-ENDING - 1 :]
    return ending if len(longest) > len(ending) and len(words) <= FEW_WORDS else ""


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


TYPES: dict[str, Any] = {
    "numbers": BigInteger(),
    "cursor_id": BigInteger(),
    "digests": LargeBinary(16),
    "typed_digests": LargeBinary(16),
    "tail_digests": LargeBinary(16),
    "phrases": Text(),
    "ending": Text(),
}
# Of those that are numbered, by how their names begin.
KINDS: dict[str, Any] = {"word": Text(), "whole": Text(), "digest": LargeBinary(16)}


def given(name: str) -> Any:
    """The value of this name, which is told when the statement is run."""
    kind = TYPES.get(name) or KINDS.get(name.partition("_")[0], UTCDateTime())
    return cast(Any, bindparam(name, type_=kind))


def one_given(column: Any, name: str) -> Any:
    """That `column` has one of the values of this name. Of numbers there may be many, which are one
    statement on PostgreSQL, however many they are."""
    if name == "numbers" and db.engine.dialect.name == "postgresql":
        numbers = ARRAY(TYPES[name])
        # Typed, or it would be taken for a question whose rows are meant.
        return column == any_(cast_in_sql(unseen(bindparam(name, type_=numbers)), numbers))
    return column.in_(bindparam(name, type_=TYPES[name], expanding=True))


def exactly(value: int | OrderStatus) -> Any:
    """This value, written out in the statement. PostgreSQL's plan for any limit is one for a tenth
    of all rows, and so on."""
    return literal_column(str(value) if isinstance(value, int) else f"'{value.value}'")


def among(column: Any, values: Iterable[int | OrderStatus]) -> Any:
    """That `column` has one of `values`, written out."""
    return column.in_([exactly(value) for value in values])
