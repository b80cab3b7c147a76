"""No search reads the table of orders from one end to the other, on either database.

The plans are those of 20,000 orders, on PostgreSQL with the statistics of 1,000,000.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, product

import pytest
from sqlalchemy import event, insert, text

from portal.database.statements import count_what_is_there
from portal.extensions import db
from portal.models import Fulfilment, Item, License, Order, OrderStatus, Product, need
from portal.models.fulfilment import FulfilmentState
from portal.models.search_text import search_text
from portal.search import Search
from portal.search.cursor import Cursor
from portal.search.days import Days
from portal.search.first_found import first_found
from portal.search.results import find, licenses_in
from tests.people import add_page, add_staff

ORDERS = 20_000
STATUSES = [OrderStatus.PAID] * 17 + [OrderStatus.NOT_PAID] * 2 + [OrderStatus.DELETED]
START = datetime(2020, 1, 1, tzinfo=UTC)
MIDDLE = START + timedelta(hours=2 * ORDERS // 2)

DAY = Days(date(2022, 5, 5))
YEARS = Days(date(2020, 1, 1), date(2024, 1, 1))

SEARCHES = {
    "all": Search(),
    "a day": Search(created=DAY),
    "years": Search(created=YEARS),
    "a status": Search(statuses=(OrderStatus.NOT_PAID,)),
    "two statuses": Search(statuses=(OrderStatus.NOT_PAID, OrderStatus.DELETED)),
    "delivered": Search(delivered=True),
    "not delivered": Search(delivered=False),
    "paid on a day": Search(paid=DAY),
    "paid in years": Search(paid=YEARS),
    "paid in years, made on a day": Search(paid=YEARS, created=DAY),
    "a page": Search(page="p1"),
    "a number": Search(q="5000"),
    "numbers": Search(q="5000 6000 7000"),
    "a rare word": Search(q="kim19999"),
    "a common word": Search(q="example"),
    "two common words": Search(q="example larsen"),
    "a common word on a day": Search(q="example", created=DAY),
    "a rare word in a status": Search(q="kim19999", statuses=(OrderStatus.PAID,)),
    "a common word, paid in years": Search(q="example", paid=YEARS),
    "a number in a status": Search(q="5000", statuses=(OrderStatus.PAID,)),
    "not delivered, of a status": Search(delivered=False, statuses=(OrderStatus.PAID,)),
    "paid in years, of a status": Search(paid=YEARS, statuses=(OrderStatus.PAID,)),
    "two letters": Search(q="ki"),
    "a letter": Search(q="x"),
    "a symbol": Search(q="%"),
    "symbols": Search(q='"*_'),
    "an emoji": Search(q="🎉"),
    "a license": Search(license="00" * 16),
    "the end of a license": Search(q="zz0018"),
    "a code": Search(q="kim-19999"),
}
RARE = {"a rare word", "a letter", "a symbol", "symbols", "an emoji"}
TEXT_INDEXES = ("ix_orders_search_text", "order_search VIRTUAL TABLE")

CURSORS = {
    "first": None,
    "deep": Cursor(MIDDLE, ORDERS // 2),
    "back": Cursor(MIDDLE, ORDERS // 2, backwards=True),
}


def fill(pages):
    """20,000 orders, two hours apart, on a large page and small ones."""
    orders, items, licenses = [], [], []
    for number in range(1, ORDERS + 1):
        created = START + timedelta(hours=2 * number)
        status = STATUSES[number % len(STATUSES)]
        paid = None if status is OrderStatus.NOT_PAID else created + timedelta(minutes=5)
        email = f"kim{number}@{'example.com' if number % 3 else 'mail.test'}"
        orders.append(
            {
                "id": number,
                "number": f"A{number:010}",
                "checkout_page_id": pages[0 if number % 4 else 1 + number // 4 % 29].id,
                "status": status,
                "created_at": created,
                "paid_at": paid,
                "currency": "EUR",
                "total": 1,
                "locale": "en",
                "email": email,
                "first_name": "Kim",
                "last_name": "Larsen" if number % 5 else "Lund",
                "customer_type": "physical",
                "search_text": search_text([email, "Kim", "Larsen" if number % 5 else "Lund"]),
            }
        )
        items.append(
            {
                "id": number,
                "order_id": number,
                "ref": "1",
                "position": 1,
                "product_code": "1",
                "product_name": "Sentinel",
                "quantity": 1,
                "amount": 1,
                "fulfilled_at": paid if number % 200 else None,
            }
        )
        digest = number.to_bytes(16)
        licenses.append(
            {
                "item_id": number,
                "position": 1,
                "sealed": b"",
                "digest": digest,
                "tail_digest": digest,
                "received_at": created,
            }
        )
    for model, rows in ((Order, orders), (Item, items), (License, licenses)):
        db.session.execute(insert(model), rows)
    db.session.commit()


def as_if_there_were_a_million():
    """The statistics, which alone decide a plan of PostgreSQL's, of 50 times as many rows."""
    count_what_is_there(db.session)
    if db.engine.dialect.name == "postgresql":
        more = "UPDATE pg_class SET reltuples = reltuples * 50 WHERE relname IN (:a, :b, :c)"
        db.session.execute(text(more), {"a": "orders", "b": "items", "c": "licenses"})
    db.session.commit()


def plan_of(question):
    """The plan of each statement that `question` runs, as lines."""
    ran = []

    def collect(_connection, _cursor, statement, parameters, *_rest):
        if statement.startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            ran.append((statement, parameters))

    engine = db.session.connection().engine
    event.listen(engine, "before_cursor_execute", collect)
    try:
        question()
    finally:
        event.remove(engine, "before_cursor_execute", collect)
    explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN "
    connection = db.session.connection()
    return [
        str(row[-1])
        for statement, parameters in ran
        for row in connection.exec_driver_sql(explain + statement, parameters)
    ]


def plan_for_all_of(question):
    """The plan for any values of each statement that `question` runs and PostgreSQL keeps."""
    connection = db.session.connection()
    kept = text("SELECT name, cardinality(parameter_types) FROM pg_prepared_statements")
    before = set(connection.execute(kept).all())
    question()
    connection.execute(text("SET plan_cache_mode = force_generic_plan"))
    plan = [
        str(row[0])
        for name, count in set(connection.execute(kept).all()) - before
        for row in connection.exec_driver_sql(f"EXPLAIN EXECUTE {name}{nothing(count)}")
    ]
    connection.execute(text("RESET plan_cache_mode"))
    return plan


def nothing(count):
    return f"({', '.join(['NULL'] * count)})" if count else ""


# SQLite reads all orders of a checkout page, which may be most of those that there are. PostgreSQL
# does where it has counted that these are few.
OF_A_PAGE = "(checkout_page_id=?)"


def scans(plan):
    """The lines of a plan that read a whole table of many rows, or all orders of a page."""
    return [line for line in plan if _is_scan(line.strip().removeprefix("->").strip())]


def _is_scan(line):
    # In the order of the list, and left after a page; and of the few items that are awaited.
    if line.endswith(("INDEX ix_orders_created_at_id", "INDEX ix_items_awaited")):
        return False
    if line.endswith(OF_A_PAGE):
        return True
    tables = ("orders", "items", "licenses")
    starts = ("SCAN ", "Seq Scan on ", "Parallel Seq Scan on ")
    return line.startswith(tuple(start + table for start in starts for table in tables))


@pytest.mark.parametrize(
    ("database", "statistics"),
    [
        ("sqlite", "there"),
        ("sqlite", "missing"),
        ("postgresql", "there"),
        ("postgresql", "for all"),
    ],
    indirect=["database"],
)
def test_no_search_scans_the_orders(app, statistics):
    pages = [add_page(f"p{number}", f"Page {number}") for number in range(1, 31)]
    fill(pages)
    # PostgreSQL counts by itself; SQLite does when an import ends or the portal starts.
    if statistics != "missing":
        as_if_there_were_a_million()
    people = [
        (add_staff("ada@example.com", "operator"), pages),
        (add_staff("rob@example.com", "agent", pages[0]), pages[:1]),
        (add_staff("ida@example.com", "agent", pages[7]), pages[7:8]),
        (add_staff("eve@example.com", "agent", *pages[1:]), pages[1:]),
    ]
    with app.test_request_context():
        assert not bad_plans(people, plan_for_all_of if statistics == "for all" else plan_of)


def bad_plans(people, plan_of):
    """What is wrong with the plans of SEARCHES at CURSORS, by who searches for what and where."""
    bad = {}
    for (staff, theirs), (name, search), (place, cursor) in product(
        people, SEARCHES.items(), CURSORS.items()
    ):
        asked = search.at(cursor)
        plan = plan_of(
            lambda asked=asked, staff=staff, theirs=theirs: (
                licenses_in(asked, staff, theirs),
                find(asked, staff, theirs),
                first_found([asked, asked] if asked.q else [], staff, theirs),
            )
        )
        by_text = any(one in "".join(plan) for one in TEXT_INDEXES)
        # A plan is kept once for all words.
        if plan and staff.sees_all and name in RARE and not by_text:
            bad[staff.email, name, place] = plan
        if found := scans(plan):
            bad[staff.email, name, place] = found
        if plan_of is plan_for_all_of and reads_all_by_number(plan):
            bad[staff.email, name, place] = plan
    return bad


def reads_all_by_number(plan):
    """Whether orders are read by their numbers until enough have been seen that fit, as it is good
    for a common word alone."""
    return any(
        "Backward using pk_orders" in line and "Index Cond" not in condition
        for line, condition in pairwise(plan)
    )


def test_what_needs_a_license_is_found_by_its_own_index(app):
    pages = [add_page(f"p{number}", f"Page {number}") for number in range(1, 31)]
    fill(pages)
    product = Product.appear(pages[0].id, {"1": "Sentinel"})["1"]
    rows = [
        {
            "item_id": number,
            "product_id": product.id,
            "request_id": f"req_{number}",
            "state": FulfilmentState.DONE if number % 500 else FulfilmentState.WAITING,
            "failure": None if number % 500 else "license_awaited",
            "attempts": 1,
        }
        for number in range(1, ORDERS + 1)
    ]
    db.session.execute(insert(Fulfilment), rows)
    as_if_there_were_a_million()
    with app.test_request_context():
        for theirs in (pages, pages[:1], pages[7:8]):
            plan = plan_of(lambda theirs=theirs: need.find(theirs))
            assert any("ix_fulfilments_awaited" in line for line in plan), plan
            assert scans(plan) == []
