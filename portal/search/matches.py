"""By what a search found an order, for people to see why it is there."""

from collections.abc import Iterator, Sequence

from flask_babel import get_translations

from portal.models.order import full_name
from portal.models.search_text import plain, plain_text, search_text
from portal.search import Search
from portal.search.lists import Found


def matched_in(search: Search, orders: Sequence[Found]) -> list[str]:
    """For each of `orders`, the names of the fields that hold what was typed, if anything was."""
    if not (search.q or search.license):
        return [""] * len(orders)
    matching = _Matching(search)
    return [matching.in_order(order) for order in orders]


class _Matching:
    """What was typed and what the fields are called, looked up once for all orders."""

    def __init__(self, search: Search) -> None:
        self.ids = search.numbers
        self.words = search.words if search.q else []
        # Where all is ASCII, nobody has to look at each sign of a text.
        self.is_plain = search.q.isascii()
        self.plain_words = [plain(word) for word in self.words]
        _ = get_translations().ugettext  # to find the language takes longer than to look in it
        self.number, self.license, self.product = _("number"), _("license"), _("product")
        self.email, self.name = _("e-mail"), _("name")
        self.company, self.external_id = _("company"), _("external id")

    def in_order(self, order: Found) -> str:
        """The names of the fields of `order` that hold something that was typed."""
        found = [self.number] if order.id in self.ids else []
        by_number, missing = bool(found), set(self.words)
        for name, text in self._fields(order):
            if held := self._held(text):
                found.append(name)
                missing.difference_update(held)
        if order.by_license:
            found.append(self.license)
        elif missing and not by_number:
            found.append(self.product)  # which is all that is left
        return ", ".join(found)

    def _fields(self, order: Found) -> Iterator[tuple[str, str]]:
        yield self.email, order.email or ""
        yield self.name, full_name(order.first_name, order.last_name)
        yield self.company, order.company or ""
        yield self.external_id, order.external_id or ""

    def _held(self, text: str) -> list[str]:
        """Those of the words by which the search box finds `text`."""
        if not text:
            return []
        if self.is_plain and text.isascii():
            looked_in, words = plain_text(text), self.plain_words
        else:
            looked_in, words = search_text([text]), self.words
        return [word for word, sought in zip(self.words, words, strict=True) if sought in looked_in]
