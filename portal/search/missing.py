"""What is said of the order numbers that were asked for and that no order has."""

from flask_babel import gettext as _

from portal.models import Order
from portal.search import Search
from portal.search.results import Results

# More are counted, not named.
NAMED = 20


def not_found(search: Search, found: Results) -> str | None:
    """Which of several numbers no order has among those that are to be seen and fit, for people;
    None where each has one, or where there is nothing to compare."""
    asked = search.numbers
    if len(asked) < 2 or not found.results:
        return None
    missing = _missing(asked, found)
    if not missing:
        return None
    if search.has_filters:
        return _("Not found with these filters: %(numbers)s.", numbers=missing)
    return _("Not found: %(numbers)s.", numbers=missing)


def _missing(asked: list[int], found: Results) -> str:
    if found.newer or found.older:
        count = max(len(asked) - found.count, 0)
        return _("%(count)s of %(asked)s numbers", count=count, asked=len(asked)) if count else ""
    there = {Order.id_of(result.number) for result in found.results}
    numbers = [str(number) for number in asked if number not in there]
    named = ", ".join(numbers[:NAMED])
    if len(numbers) > NAMED:
        return _("%(numbers)s and %(more)s more", numbers=named, more=len(numbers) - NAMED)
    return named
