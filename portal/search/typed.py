"""What stands in the search box, and all that it may be meant for."""

import re
from dataclasses import dataclass
from functools import cached_property

from portal.models.order import Order
from portal.models.search_text import INVISIBLE, searchable
from portal.normal_forms import normal

SEPARATORS = re.compile(r"[\s,;]+")

# What stands around a number or an address where it was copied from.
LABELS = {"order", "no", "nr", "number"}
AROUND = "#<>()[]\"'.:"
AROUND_ADDRESS = re.compile(
    r"""mailto:|\b(?:from|to|cc|reply-to):(?=\s)|[<>()\[\]",;]+""", re.IGNORECASE
)

# What parts words in a list or a name, or ends a sentence: 'Larsen, Kim', 'kim@example.com.'
AFTER_A_WORD = re.compile(r"(?<=\w)[,;.:!?](?=\s|$)")

# No license begins as a phone number with the code of a country does. One without it begins with a
# single zero, and a number of an order is not that long after so few.
PHONE = re.compile(r"\+[\d\s()/.-]+", re.ASCII)
PHONE_AT_HOME = re.compile(r"\(?0[1-9]\d{0,4}\)?[ /.-]+(?:\d[ /.-]*){5,9}", re.ASCII)

# What stands around a license where it was copied from: signs, and what it is called there.
AROUND_A_LICENSE = " \"'`“”„‟‘’‚‛«»‹›.…*,;:!?()[]<>"
NAMED = re.compile(r"[^\W\d_][^:=]{0,40}[:=](.+)")

# A part of an e-mail address as many are made: 'hana.jensen.66'.
MAILBOX = re.compile(r"[a-z]+(?:[._-][a-z]+)+[._-]?\d{0,4}", re.ASCII)

# From these lengths on, what no order has may be a mistyped license, and is kept out of addresses.
# No field of an order that words are looked for in is longer than such a text.
CODE_LENGTH = 12
TEXT_LENGTH = 255
HYPHENS = 2
LONG_WORDS = 5

# How many texts the box may hold that each may be a license, see `Typed.license_texts`.
LICENSES = 4 + 2 * LONG_WORDS


@dataclass(frozen=True)
class Typed:
    """What was typed or pasted, as one line."""

    q: str = ""

    @cached_property
    def numbers(self) -> list[int]:
        """The order ids in the box, when it holds nothing else."""
        if self.may_be_phone:
            return []
        typed = normal("NFKC", INVISIBLE.sub("", self.q))
        parts = [part.strip(AROUND) for part in SEPARATORS.split(typed)]
        parts = [part for part in parts if part and part.casefold() not in LABELS]
        ids = [Order.id_of(part) for part in parts]
        found = [order_id for order_id in ids if order_id is not None]
        return list(dict.fromkeys(found)) if len(found) == len(parts) else []

    @cached_property
    def words(self) -> list[str]:
        """The words in the box as the stored text is searched for them; none where it is longer
        than any field of an order: a license, or a mail that an order may be meant in.

        A word of two letters is found where a word begins with them, one of one letter where it is
        the whole word: with the blank before (and after) it is long enough for a trigram.
        """
        if self.is_long:
            return []
        typed = AROUND_ADDRESS.sub(" ", self.q) if "@" in self.q else self.q
        typed = AFTER_A_WORD.sub(" ", typed)
        return [_long_enough(word) for word in dict.fromkeys(searchable(typed).split())]

    @property
    def has_short_words(self) -> bool:
        """Whether there are words that are only found where others begin, see `words`."""
        return any(word.startswith(" ") for word in self.words)

    @property
    def license_texts(self) -> list[str]:
        """What the license in the box may be: all that was typed, or what stands in quotes or
        brackets there, or after a word and a colon, or a long word among others."""
        visible = INVISIBLE.sub("", self.q)
        bare = visible.strip(AROUND_A_LICENSE)
        named = NAMED.match(bare)
        texts = [self.q, visible, bare, named[1].strip(AROUND_A_LICENSE) if named else ""]
        words = [word for word in visible.split() if len(word) >= CODE_LENGTH and "@" not in word]
        for word in words[:LONG_WORDS]:
            texts += [word, word.strip(AROUND_A_LICENSE)]
        return [text for text in dict.fromkeys(texts) if text]

    @property
    def is_phone(self) -> bool:
        """Whether a phone number is in the box, as they are written with the code of a country."""
        return PHONE.fullmatch(self.q) is not None

    @property
    def may_be_phone(self) -> bool:
        """Whether it may be a phone number, with the code of a country or without."""
        return self.is_phone or PHONE_AT_HOME.fullmatch(self.q) is not None

    @property
    def is_long(self) -> bool:
        """Whether it is longer than a name or an address: a whole text, which a license may be."""
        return len(self.q) > TEXT_LENGTH

    @property
    def looks_like_license(self) -> bool:
        """Whether the box may hold a license, mistyped or with words beside it, although no order
        has it: long codes with digits or hyphens, in one piece or in several."""
        if self.numbers or self.is_phone:
            return False
        words = [word for word in self.q.split() if "@" not in word and not MAILBOX.fullmatch(word)]
        coded = [word for word in words if re.search(r"\d", word) or word.count("-") >= HYPHENS]
        return self.is_long or sum(map(len, coded)) >= CODE_LENGTH


def _long_enough(word: str) -> str:
    if len(word) == 1:
        return f" {word} "
    return f" {word}" if len(word) == 2 else word
