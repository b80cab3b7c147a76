"""One question about orders: what was typed and ticked, and the address that asks it again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Self
from urllib.parse import urlencode

from portal.models.order import INVISIBLE, Order, searchable
from portal.models.order_status import OrderStatus
from portal.search.cursor import Cursor
from portal.search.days import Days
from portal.vault import vault

SEPARATORS = re.compile(r"[\s,;]+")

# What stands around a number or an address where it was copied from.
LABELS = {"order", "no", "nr", "number"}
AROUND = "#<>()[]\"'.:"
AROUND_ADDRESS = re.compile(r"""mailto:|[<>()\[\]",;]+""", re.IGNORECASE)

# What parts words in a list or a name: 'Larsen, Kim'.
AFTER_A_WORD = re.compile(r"(?<=\w)[,;](?=\s|$)")

# No license begins as a phone number does.
PHONE = re.compile(r"\+[\d\s()/.-]+", re.ASCII)

# What stands around a license where it was copied from: quotes, and what it is called there.
QUOTES = " \"'`“”„‟‘’‚‛«»‹›"
NAMED = re.compile(r"[^\W\d_][^:=]{0,40}[:=](.+)")

# A part of an e-mail address as many are made: 'hana.jensen.66'.
MAILBOX = re.compile(r"[a-z]+(?:[._-][a-z]+)+[._-]?\d{0,4}", re.ASCII)

# From these lengths on, what no order has may be a mistyped license, and is kept out of addresses.
CODE_LENGTH = 12
TEXT_LENGTH = 254
HYPHENS = 2

# Longer addresses are refused by some servers and proxies.
ADDRESS_LENGTH = 8_000


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
    def takes_all(self) -> bool:
        """Whether every order of its checkout pages is an answer."""
        return replace(self, cursor=None, page="") == Search()

    @property
    def has_filters(self) -> bool:
        """Whether anything but the search box is filled."""
        return replace(self, cursor=None, q="", license="") != Search()

    @cached_property
    def numbers(self) -> list[int]:
        """The order ids in the box, when it holds nothing else."""
        parts = [part.strip(AROUND) for part in SEPARATORS.split(INVISIBLE.sub("", self.q))]
        parts = [part for part in parts if part and part.casefold() not in LABELS]
        ids = [Order.id_of(part) for part in parts]
        found = [order_id for order_id in ids if order_id is not None]
        return list(dict.fromkeys(found)) if len(found) == len(parts) else []

    @cached_property
    def words(self) -> list[str]:
        """The words in the box as the stored text is searched for them.

        A word of two letters is found where a word begins with them, one of one letter where it is
        the whole word: with the blank before (and after) it is long enough for a trigram.
        """
        typed = AROUND_ADDRESS.sub(" ", self.q) if "@" in self.q else self.q
        typed = AFTER_A_WORD.sub(" ", typed)
        return [_long_enough(word) for word in dict.fromkeys(searchable(typed).split())]

    @property
    def has_short_words(self) -> bool:
        """Whether there are words that are only found where others begin, see `words`."""
        return any(word.startswith(" ") for word in self.words)

    @cached_property
    def digests(self) -> list[bytes]:
        """What a license asked for may have as `License.digest`."""
        if self.license:
            return [bytes.fromhex(self.license)]
        return list(dict.fromkeys(map(vault().digest, self._license_texts)))

    @cached_property
    def tail_digests(self) -> list[bytes]:
        """What it may have as `License.tail_digest`."""
        found = map(vault().tail_digests, self._license_texts)
        return list(dict.fromkeys(chain.from_iterable(found)))

    @property
    def _license_texts(self) -> list[str]:
        """What the license in the box may be: all that was typed, or what stands in quotes there,
        or after a word and a colon."""
        quoted = self.q.strip(QUOTES)
        named = NAMED.match(quoted)
        texts = [self.q, quoted, named[1].strip(QUOTES) if named else ""]
        return [text for text in dict.fromkeys(texts) if text]

    @property
    def is_phone(self) -> bool:
        """Whether a phone number is in the box, as they are written with the code of a country."""
        return PHONE.fullmatch(self.q) is not None

    @property
    def looks_like_license(self) -> bool:
        """Whether the box may hold a license, mistyped or with words beside it, although no order
        has it: long codes with digits or hyphens, in one piece or in several."""
        if self.numbers or self.is_phone:
            return False
        words = [word for word in self.q.split() if "@" not in word and not MAILBOX.fullmatch(word)]
        coded = [word for word in words if re.search(r"\d", word) or word.count("-") >= HYPHENS]
        return len(self.q) > TEXT_LENGTH or sum(map(len, coded)) >= CODE_LENGTH

    def for_license(self, digest: bytes | None = None) -> Self:
        """The same question with the license in the box replaced by its `digest`, or by that of all
        that was typed."""
        digest = digest or vault().digest(self.q)
        return replace(self, q="", license=digest.hex(), cursor=None)

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
        several = self.numbers if len(self.numbers) > 1 else []
        pairs: Mapping[str, object] = {
            "q": " ".join(map(str, several)) or self.q,
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

    @property
    def is_too_long(self) -> bool:
        """Whether no address can ask this question."""
        return len(self.address("")) > ADDRESS_LENGTH


def _long_enough(word: str) -> str:
    if len(word) == 1:
        return f" {word} "
    return f" {word}" if len(word) == 2 else word
