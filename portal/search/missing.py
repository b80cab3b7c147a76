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
    if found.newer or found.older:
        count = len(asked) - found.count
        return (
            _("Not found: %(count)s of %(asked)s numbers.", count=count, asked=len(asked))
            if count > 0
            else None
        )
    there = {Order.id_of(result.number) for result in found.results}
    numbers = [str(number) for number in asked if number not in there]
    if not numbers:
        return None
    named = ", ".join(numbers[:NAMED])
    if len(numbers) > NAMED:
        more = len(numbers) - NAMED
        return _("Not found: %(numbers)s and %(more)s more.", numbers=named, more=more)
    return _("Not found: %(numbers)s.", numbers=named)
