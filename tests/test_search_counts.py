"""How many orders are delivered is seen in several ways, which all say what the items say."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.search import Search, lists
from portal.search.days import Days
from portal.search.scope import Scope
from tests.people import CODE, add_page, bring_in, item_document, order_document

FIRST = datetime(2026, 5, 1, 12, tzinfo=UTC)
LAST_DAYS = Days((FIRST + timedelta(days=4)).date(), (FIRST + timedelta(days=40)).date())


def bring_in_each_day(page, first_number, words):
    """An order a day: [d]elivered, [a]waited, or [n]ot paid and awaited."""
    for day, word in enumerate(words):
        at = (FIRST + timedelta(days=day)).isoformat()
        paid = {"status": "not paid", "paid_at": None} if word == "n" else {"paid_at": at}
        bring_in(
            order_document(
                f"A{first_number + day}",
                checkout_page=page,
                created_at=at,
                items=[item_document(codes=[CODE] if word == "d" else [])],
                **paid,
            )
        )


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize("created", [Days(), LAST_DAYS], ids=["ever", "last days"])
@pytest.mark.parametrize(
    ("acme", "nordsoft"),
    [
        ("dddddddddddd", ""),
        ("ddddddaddddd", "dd"),
        ("dddddddaaaaa", "addddddd"),
        ("aaaaaaddddddd", "aaa"),
        ("dnnnnnnadndaddad", "nnaadd"),
        ("aaaaaaaaaaaa", "nnnnnnd"),
    ],
)
def test_delivered_orders_are_counted_up_to_any_number(app, everywhere, created, acme, nordsoft):
    pages = [add_page("acme", "Acme Store"), add_page("nordsoft", "Nordsoft")]
    bring_in_each_day("acme", 1000, acme)
    bring_in_each_day("nordsoft", 2000, nordsoft)
    from_day = 4 if created else 0
    delivered = acme[from_day:].count("d") + nordsoft[from_day:].count("d")
    scope = Scope(tuple(page.id for page in pages), everywhere=everywhere)
    for cap in range(1, 24):
        rows = lists.rows(Search(delivered=True, created=created), scope, 50, cap)
        assert len(rows) == delivered
        assert {row.found for row in rows} <= {min(cap, delivered)}
