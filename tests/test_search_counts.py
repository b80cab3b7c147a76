"""What is counted and found in several ways is the same in each of them."""

from contextvars import Context
from datetime import UTC, datetime, timedelta

import pytest

from portal.database.statements import count_what_is_there
from portal.extensions import db
from portal.models import Order
from portal.models.search_text import searchable
from portal.search import Search, lists
from portal.search.candidates import CAP
from portal.search.days import Days
from portal.search.results import find
from portal.search.scope import Scope
from tests.people import CODE, add_page, add_staff, bring_in, item_document, order_document
from tests.support.application import statements
from tests.test_query_plans import fill

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
        found = lists.listed(Search(delivered=True, created=created), scope, 50, cap)
        assert len(found.orders) == delivered
        assert found.found == min(cap, delivered)


def test_rare_and_common_words_find_all_that_have_them(app):
    pages = [add_page(f"p{number}", f"Page {number}") for number in range(1, 31)]
    fill(pages)
    count_what_is_there(db.session)  # as PostgreSQL does by itself
    staff = add_staff("rob@example.com", "agent", pages[0])
    theirs = db.select(Order.number, Order.search_text).filter_by(checkout_page_id=pages[0].id)
    texts = db.session.execute(theirs.order_by(Order.created_at.desc())).all()

    for words in ("kim19998", "kim1999", "kim-19", "kim19 lund", "kim12", "kim1", "larsen example"):
        typed = searchable(words).split()
        has = [number for number, text in texts if all(word in text for word in typed)]
        with app.test_request_context():
            found = find(Search(q=words), staff, pages[:1])
        assert found.count == min(len(has), CAP + 1), words
        assert [result.number for result in found.results] == has[:50], words


def test_a_common_word_is_looked_for_instead_in_four_statements_at_most(app, signed_in):
    pages = [add_page(f"p{number}", f"Page {number}") for number in range(1, 31)]
    fill(pages)
    count_what_is_there(db.session)
    browser = signed_in(add_staff("rob@example.com", "agent", pages[0]))
    db.session.commit()
    asked = {"q": "Mrs Lund, ticket 4839201"}
    with statements(app) as ran:
        found = Context().run(browser.client.get, "/orders", query_string=asked)
    assert found.location == "/orders?q=Lund"
    assert len([one for one in ran if not one.startswith("BEGIN")]) <= 4, ran
