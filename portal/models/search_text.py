"""The text by which the search box finds an order, and what is typed there in the same form."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import filterfalse

from portal.normal_forms import normal

# Direction marks and the like: copied along with a text, and never typed.
INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
SYMBOL = re.compile(r"[^\w\s]|_")
# What Unicode does not take apart, and people type without: as Lucene's ASCIIFoldingFilter has it.
STROKED = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ŋ": "n", "ə": "a"}
    | {"æ": "ae", "œ": "oe", "þ": "th"}
)


# What word processors and phones make of the signs on a keyboard.
TYPESET = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02bc\u2032\u05f3", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u05f4", '"')
    | dict.fromkeys("\u2010\u2012\u2013\u2014\u2015\u2212", "-")
)

PLAIN = STROKED | TYPESET

# Symbols are written as letters among the Hangul syllables, which NFKD has taken apart wherever
# they were meant.
SYLLABLES = 0xAC00
TYPED = {SYLLABLES + code: chr(code) for code in range(128)}


def searchable(text: str) -> str:
    """`text` as it is compared in searches: no case, no accents, single blanks, plain signs.

    Each symbol ('@', '%', an emoji) has become a letter, because PostgreSQL's index of trigrams
    knows letters and digits only, and could not find '%' but by reading every order.
    """
    folded = text.casefold()
    if not text.isascii():
        folded = normal("NFKD", INVISIBLE.sub("", text)).casefold()
        folded = "".join(filterfalse(unicodedata.combining, folded)).translate(PLAIN)
    return " ".join(SYMBOL.sub(_letter, folded).split())


def _letter(symbol: re.Match[str]) -> str:
    return chr(SYLLABLES + ord(symbol[0]) % 11172)


def plain(word: str) -> str:
    """A word of searchable text with the symbols of ASCII that it has been typed with."""
    return word.translate(TYPED)


def plain_text(text: str) -> str:
    """A text of ASCII as `plain` words are found in it, as others are in search_text."""
    return f" {' '.join(text.casefold().split())} "


def search_text(fields: Iterable[str | None]) -> str:
    """What the search box finds of an order: each word between blanks, which mark its ends."""
    words = searchable(" ".join(field for field in fields if field))
    return f" {words} "
