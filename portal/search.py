"""One question about orders: what was typed and ticked, and the address that asks it again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Self
from urllib.parse import urlencode

from flask_babel import get_timezone

from portal.models.order import Order, OrderStatus, searchable
from portal.vault import vault

SEPARATORS = re.compile(r"[\s,;]+")

# Shorter texts are names and numbers; from this length on, letters mixed with digits in one word
# are treated as a license, and kept out of addresses even when no order has it.
LICENSE_LENGTH = 12


@dataclass(frozen=True)
class Cursor:
    """A place in a list that runs from the newest order to the oldest."""

    created_at: datetime
    id: int
    backwards: bool = False

    @classmethod
    def read(cls, text: str, *, backwards: bool) -> Self | None:
        """The cursor in an address, or None where there is none to be understood."""
        created, _, order_id = text.partition("_")
        try:
            return cls(datetime.fromisoformat(created), int(order_id), backwards)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.created_at.isoformat().replace('+00:00', 'Z')}_{self.id}"


@dataclass(frozen=True)
class Days:
    """A range of days with both ends included; only `first` means that one day."""

    first: date | None = None
    last: date | None = None

    def __bool__(self) -> bool:
        return bool(self.first or self.last)

    @property
    def start(self) -> datetime | None:
        """The first moment of the range, in the portal's time zone."""
        return _midnight(self.first) if self.first else None

    @property
    def end(self) -> datetime | None:
        """The first moment after the range."""
        last = self.last or self.first
        return _midnight(last + timedelta(days=1)) if last else None


@dataclass(frozen=True)
class Search:
    """What is looked for. All that is filled must hold; of the ticked statuses, one.

    `license` is the keyed digest of a license in hexadecimal, which stands for the license itself
    in addresses.
    """

    q: str = ""
    license: str = ""
    created: Days = field(default_factory=Days)
    paid: Days = field(default_factory=Days)
    statuses: tuple[OrderStatus, ...] = ()
    delivered: bool | None = None
    page: str = ""
    cursor: Cursor | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked, so that every order is an answer."""
        return replace(self, cursor=None) == Search()

    @property
    def has_filters(self) -> bool:
        """Whether anything but the search box is filled."""
        return replace(self, cursor=None, q="", license="") != Search()

    @property
    def numbers(self) -> list[int]:
        """The order ids in the box, when it holds nothing else."""
        ids = [Order.id_of(part) for part in SEPARATORS.split(self.q.strip()) if part]
        return [found for found in ids if found is not None] if None not in ids else []

    @property
    def words(self) -> list[str]:
        """The words in the box as the stored text is searched for them.

        A word of two letters is found where a word begins with them, one of one letter where it is
        the whole word: with the blank before (and after) it is long enough for a trigram.
        """
        words = searchable(self.q).split()
        return [_long_enough(word) for word in words]

    @property
    def digests(self) -> list[bytes]:
        """The digests that a license asked for may have: by its whole text, by its end."""
        if self.license:
            return [bytes.fromhex(self.license)]
        return [vault().digest(self.q), vault().tail_digest(self.q)] if self.q else []

    @property
    def looks_like_license(self) -> bool:
        """Whether the box holds what might be a license, although no order may have it."""
        if "@" in self.q or self.numbers:
            return False
        lines = self.q.split("\n")
        one_word = len(lines) > 1 or " " not in self.q.strip()
        has_digit, has_letter = re.search(r"\d", self.q), re.search(r"[^\W\d_]", self.q)
        return bool(one_word and has_digit and has_letter and len(self.q) >= LICENSE_LENGTH)

    def for_license(self) -> Self:
        """The same question with the license in the box replaced by its digest."""
        return replace(self, q="", license=vault().digest(self.q).hex())

    @property
    def without_filters(self) -> Self:
        """The same words, and nothing else."""
        return replace(type(self)(), q=self.q, license=self.license)

    def at(self, cursor: Cursor | None) -> Self:
        """The same question at another place of its list."""
        return replace(self, cursor=cursor)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """What stands in the address that asks this question."""
        pairs: Mapping[str, object] = {
            "q": self.q,
            "license": self.license,
            "created_from": self.created.first,
            "created_to": self.created.last,
            "paid_from": self.paid.first,
            "paid_to": self.paid.last,
        }
        filled = [(name, str(value)) for name, value in pairs.items() if value]
        filled += [("status", status.value) for status in self.statuses]
        if self.delivered is not None:
            filled.append(("delivery", "delivered" if self.delivered else "not delivered"))
        if self.page:
            filled.append(("page", self.page))
        if self.cursor:
            filled.append(("before" if self.cursor.backwards else "after", str(self.cursor)))
        return filled

    def address(self, path: str) -> str:
        """`path` with this question."""
        return f"{path}?{urlencode(self.parameters)}" if self.parameters else path


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=get_timezone())


def _long_enough(word: str) -> str:
    if len(word) == 1:
        return f" {word} "
    return f" {word}" if len(word) == 2 else word
