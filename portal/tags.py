"""The tags of an e-mail text, such as {ORDER_ID}, and what stands in their place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from babel import Locale
from flask_babel import gettext as _

if TYPE_CHECKING:
    from portal.models import Item

# Where the licenses stand: alone on a line, so that each license has lines of its own.
KEY = "KEY"

# Those that a vendor may know from other platforms, but for KEY.
TAGS = (
    "ORDER_ID",
    "PROGRAM_NAME",
    "QUANTITY",
    "FULLNAME",
    "FNAME",
    "LNAME",
    "EMAIL",
    "COMPANY",
    "COUNTRY",
    "DATE",
    "URL",
    "URL_FULL",
)

OF_PRODUCT = ("PROGRAM_NAME", "QUANTITY", "URL", "URL_FULL")

# The vendor's own addresses, which are links. Of the others, customers choose some themselves.
LINKS = ("URL", "URL_FULL")

# An order to show a text with; its DATE is written in the language of the text.
SAMPLE_DATE = date(2026, 11, 2)
SAMPLE = {
    "ORDER_ID": "A0005555555",
    "PROGRAM_NAME": "Sentinel Antivirus, 1 year",
    "QUANTITY": "2",
    "FULLNAME": "Kim Larsen",
    "FNAME": "Kim",
    "LNAME": "Larsen",
    "EMAIL": "kim@example.com",
    "COMPANY": "Larsen Ltd",
    "URL": "www.example.com/download",
    "URL_FULL": "https://www.example.com/download",
}
SAMPLE_LICENSES = ("SAMPLE-2K9QX-PL44R", "SAMPLE-7TZ00-18MAV")

_TAG = re.compile(r"\{([A-Za-z_]+)\}")
# A word that mail programs make a link of: with the beginning of an address, or the end of a host.
_ADDRESS = re.compile(r"\S*(?:://|\bwww\.|\.\w{2,}/)\S*", re.IGNORECASE)
_KEY_LINE = re.compile(r"^[ \t]*\{KEY\}[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Filled:
    """A `text` with what stands in place of its tags; as a string, it is filled in."""

    text: str
    values: Mapping[str, str]

    def __str__(self) -> str:
        return fill(self.text, self.values)


def values_of(item: "Item", *, url: str | None, date: str, language: str) -> dict[str, str]:
    """What stands in place of each of TAGS in an e-mail about `item`; `url` is where its product is
    to be had."""
    order = item.order
    countries = Locale.parse(language).territories
    return {
        "ORDER_ID": order.number,
        "PROGRAM_NAME": item.product_name,
        "QUANTITY": str(item.quantity),
        "FULLNAME": unlinked(order.customer_name),
        "FNAME": unlinked(order.first_name or ""),
        "LNAME": unlinked(order.last_name or ""),
        "EMAIL": order.email or "",
        "COMPANY": unlinked(order.company or ""),
        "COUNTRY": str(countries.get(order.country or "", order.country or "")),
        "DATE": date,
        **of_url(url),
    }


def unlinked(name: str) -> str:
    """What a customer is called, so that no mail program makes a link of it: anybody can be called
    "verify at https://…", and would have written that to any address under the vendor's name."""
    return _ADDRESS.sub(lambda word: re.sub(r"([:.])(?=\S)", r"\1 ", word[0]), name)


def of_url(url: str | None) -> dict[str, str]:
    """The tags of a product's address: as people say it, and whole."""
    return {"URL": (url or "").partition("://")[2].rstrip("/"), "URL_FULL": url or ""}


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with each tag replaced; what a value holds is not looked at again."""
    return _TAG.sub(lambda tag: values.get(tag[1], tag[0]), text)


def around_key(text: str) -> tuple[str, str]:
    """What stands before and after the licenses; all of `text` is before where there are none."""
    before, *after = _KEY_LINE.split(text, maxsplit=1)
    return before.strip("\n"), "".join(after).strip("\n")


def complaint(text: str, *, licenses: bool = False, general: bool = False) -> str | None:
    """What is wrong with a text, or None. One with `licenses` needs {KEY}, alone on its line, and
    no other may have it; a `general` one knows nothing of a product."""
    unknown = [tag for tag in _TAG.findall(text) if tag not in TAGS and tag != KEY]
    if unknown:
        return _("There is no tag {%(tag)s}.", tag=unknown[0])
    if general and (about := [tag for tag in _TAG.findall(text) if tag in OF_PRODUCT]):
        return _("{%(tag)s} belongs into the text of a product.", tag=about[0])
    found = _TAG.findall(text).count(KEY)
    if not licenses:
        return _("{KEY} belongs into the text of a product with licenses.") if found else None
    if found != 1:
        return _("{KEY} must be there once: the licenses stand in its place.")
    return None if _KEY_LINE.search(text) else _("{KEY} must stand alone on its line.")
