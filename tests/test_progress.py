"""A page that shows something under way looks again by itself, and only as long as it is."""

from datetime import timedelta

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.fulfilment.answer import Failure, Licenses, Trouble
from portal.models import Fulfilment, OrderStatus, Tool
from portal.models.progress import LONGEST, QUICK, SLOW, Progress
from tests.people import bring_in, item_document, order_document
from tests.support.application import statements
from tests.test_fulfilment import set_tool

ADDRESS = "/orders/A0005555555"


@pytest.fixture
def order(acme):
    """A paid order with two items that wait for nothing but a worker."""
    items = [item_document(ref, codes=()) for ref in ("1", "2")]
    order = bring_in(order_document(items=items))
    begun, _other = Fulfilment.begin(order)
    set_tool(begun, Tool.INFORMATION)
    return order


def look(browser, page):
    """What the page asks for by itself; the answer."""
    poll = page.part("progress").attributes
    return browser.open(poll["hx-get"])


def test_nothing_is_asked_for_while_nothing_is_under_way(signed_in, rob):
    bring_in(order_document())
    page = signed_in(rob).open(ADDRESS)
    assert "hx-get" not in page.part("progress").attributes


def test_nothing_is_answered_while_nothing_has_changed(signed_in, rob, order):
    browser = signed_in(rob)
    answer = look(browser, browser.open(ADDRESS))
    assert (answer.status, answer.response.data) == (204, b"")


def test_what_has_changed_is_drawn_anew_and_nothing_else(signed_in, rob, order, mailbox):
    browser = signed_in(rob)
    page = browser.open(ADDRESS)
    first, second = order.items
    jobs.fulfil(first.fulfilment.id)
    answer = look(browser, page)
    assert answer.status == 200
    assert "goes by e-mail" in answer.part(f"item-{first.id}").text
    assert f"item-{second.id}" not in answer.ids
    assert "was sent to kim" in answer.part("order-history").text
    assert "was sent to kim" in answer.part("announcement").text
    assert answer.part("order-status").text.endswith("Not delivered")
    assert look(browser, answer).status == 204


def test_it_ends_when_all_is_over(signed_in, rob, order, mailbox):
    browser = signed_in(rob)
    page = browser.open(ADDRESS)
    for item in order.items:
        jobs.fulfil(item.fulfilment.id)
    answer = look(browser, page)
    assert "hx-get" not in answer.part("progress").attributes
    assert answer.part("order-status").text.endswith("paid Delivered")


def test_what_came_by_itself_is_announced_once(signed_in, rob, order):
    browser = signed_in(rob)
    page = browser.open(ADDRESS)
    fulfilment = order.items[0].fulfilment
    fulfilment.take(Trouble(Failure.SERVICE_BUSY, "HTTP 503"))
    answer = look(browser, page)
    assert "was not received; it will be tried again" in answer.part("announcement").text

    fulfilment.due_at += timedelta(seconds=30)  # nothing that the history tells of
    assert "announcement" not in look(browser, answer).ids


@pytest.mark.parametrize(
    ("due_in", "pace"),
    [
        (timedelta(0), QUICK),
        (timedelta(minutes=-4), QUICK),
        (timedelta(minutes=-6), SLOW),
        (timedelta(minutes=10), 600),
        (timedelta(hours=30), LONGEST),
    ],
)
def test_it_looks_when_it_is_worth_it(order, due_in, pace):
    for item in order.items:
        item.fulfilment.due_at = clock.now() + due_in
    assert Progress(order).pace == pytest.approx(pace, abs=1)


def test_an_order_that_was_deleted_is_not_looked_at_again(order):
    order.status = OrderStatus.DELETED
    assert Progress(order).pace is None


def test_a_license_that_was_replaced_meanwhile_is_news(order):
    order.items[0].fulfilment.take(Licenses(["NEW-1"]))
    db.session.commit()
    seen = Progress(order).seen
    order.items[0].licenses[0].revoked_at = clock.now()
    assert Progress(order).changed_since(seen) == [order.items[0]]


@pytest.mark.parametrize("seen", ["", "x", "nonsense" * 20, "é"])
def test_who_has_seen_nothing_we_know_gets_all(signed_in, rob, order, seen):
    answer = signed_in(rob).open(f"{ADDRESS}/progress", query_string={"seen": seen})
    assert answer.status == 200
    assert {f"item-{item.id}" for item in order.items} <= {*answer.ids}


def test_a_look_costs_six_statements_however_long_the_order_is(app, signed_in, rob, acme):
    items = [item_document(f"{n}", codes=()) for n in range(100)]
    order = bring_in(order_document(items=items))
    for number, begun in enumerate(Fulfilment.begin(order)):
        begun.product.tool = Tool.WEB_SERVICE
        if number % 2:
            begun.take(Licenses([f"NEW-{number}"]))
    db.session.commit()
    browser = signed_in(rob)
    page = browser.open(ADDRESS)
    for path in (page.part("progress").attributes["hx-get"], f"{ADDRESS}/progress"):
        with statements(app) as found:
            browser.open(path)
        assert len([sql for sql in found if sql.startswith(("SELECT", "WITH"))]) <= 6
