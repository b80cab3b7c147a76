"""By what a search found an order, for people to see why it is there."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row

from portal.models.order import full_name, search_text
from portal.search import Search


def matched_in(search: Search, orders: Sequence[Row[Any]]) -> list[list[str]]:
    """For each of `orders`, rows of lists.rows, the names of the fields that hold what was
    typed."""
    if not (search.q or search.license):
        return [[] for _order in orders]
    names = Names()
    return [_matched(search, order, names) for order in orders]


class Names:
    """What the fields are called, looked up once for all orders."""

    def __init__(self) -> None:
        self.number, self.license, self.product = _("number"), _("license"), _("product")
        self.email, self.name = _("e-mail"), _("name")
        self.company, self.external_id = _("company"), _("external id")


def _matched(search: Search, order: Row[Any], names: Names) -> list[str]:
    by_number = order.id in search.numbers
    fields = _fields(order, names) if search.q else {}
    held = {name: _held(text, search.words) for name, text in fields.items()}
    found = [names.number] if by_number else []
    found += [name for name, words in held.items() if words]
    if order.by_license:
        found.append(names.license)
    elif not by_number and not set().union(*held.values()).issuperset(search.words):
        found.append(names.product)  # which is all that is left
    return found


def _fields(order: Row[Any], names: Names) -> dict[str, str]:
    return {
        names.email: order.email or "",
        names.name: full_name(order.first_name, order.last_name),
        names.company: order.company or "",
        names.external_id: order.external_id or "",
    }


def _held(text: str, words: list[str]) -> list[str]:
    """Those of `words` by which the search box finds `text`. Where nothing but letters and digits
    of ASCII counts, nobody has to look at each sign of it."""
    if not text:
        return []
    if text.isascii() and all(word.isascii() and word.isalnum() for word in words):
        text = text.casefold()
    else:
        text = search_text([text])
    return [word for word in words if word in text]
