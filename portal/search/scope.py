"""The checkout pages that a search is about."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.models import CheckoutPage, Staff
from portal.search import Search


@dataclass(frozen=True)
class Scope:
    """The ids of these checkout pages; `everywhere` where they are all that there are."""

    page_ids: tuple[int, ...]
    everywhere: bool

    @classmethod
    def of(cls, search: Search, staff: Staff, pages: Sequence[CheckoutPage]) -> "Scope":
        """Of the `pages` that `staff` sees, those that `search` is about."""
        wanted = tuple(page.id for page in pages if search.page in ("", page.code))
        return cls(wanted, everywhere=staff.sees_all and not search.page)
