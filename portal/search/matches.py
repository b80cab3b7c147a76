"""By what a search found an order, for people to see why it is there."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row

from portal.models.order import search_text
from portal.search import Search


def matched_in(search: Search, order: Row[Any]) -> list[str]:
    """The names of the fields of `order`, a row of lists.rows, that hold what was typed."""
    if not (search.q or search.license):
        return []
    by_number = order.id in search.numbers
    fields = _fields(order) if search.q else {}
    names = [_("number")] if by_number else []
    names += [name for name, text in fields.items() if any(word in text for word in search.words)]
    if order.by_license:
        names.append(_("license"))
    elif not by_number and not _are_in(fields, search.words):
        names.append(_("product"))  # which is all that is left
    return names


def _fields(order: Row[Any]) -> dict[str, str]:
    return {
        _("e-mail"): search_text([order.email]),
        _("name"): search_text([order.first_name, order.last_name]),
        _("company"): search_text([order.company]),
        _("external id"): search_text([order.external_id]),
    }


def _are_in(fields: dict[str, str], words: list[str]) -> bool:
    return all(any(word in text for text in fields.values()) for word in words)
