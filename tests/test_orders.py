"""The list of orders: filters, pages, counts and what it says when there is nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.search import results
from tests.people import NUMBER, add_page, bring_in, order_document
from tests.support.application import statements
from tests.test_search import found

DAYS = ["created_from", "created_to", "paid_from", "paid_to"]


def filtered(browser, **filters):
    return browser.open("/orders", query_string=filters)


@pytest.mark.settings(BABEL_DEFAULT_TIMEZONE="Europe/Berlin")
@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"created_from": "2026-10-25"}, ["A1", "A2"]),  # a day of 25 hours
        ({"created_from": "2026-10-26"}, ["A3"]),
        ({"created_from": "2026-10-24", "created_to": "2026-10-25"}, ["A1", "A2", "A4"]),
        ({"created_to": "2026-10-24"}, ["A4"]),
        ({"paid_from": "2026-10-25"}, ["A1", "A4"]),
        ({"paid_from": "2026-10-25", "created_from": "2026-10-24"}, ["A4"]),
        ({"created_from": "0001-01-01", "created_to": "9999-12-31"}, ["A1", "A2", "A3", "A4"]),
    ],
)
def test_days_are_those_of_the_portals_zone_with_both_ends(signed_in, acme, ada, filters, numbers):
    for number, created, paid in [
        ("A4", "2026-10-24T23:59:59.999999+02:00", "2026-10-25T00:00:00+02:00"),
        ("A1", "2026-10-25T00:00:00+02:00", "2026-10-25T23:59:59+01:00"),
        ("A2", "2026-10-25T23:59:59.999999+01:00", "2026-10-26T00:00:00+01:00"),
        ("A3", "2026-10-26T00:00:00+01:00", "2026-10-27T00:00:00+01:00"),
    ]:
        bring_in(order_document(number, created_at=created, paid_at=paid))
    assert sorted(found(filtered(signed_in(ada), **filters))) == numbers


@pytest.mark.settings(BABEL_DEFAULT_TIMEZONE="Europe/Berlin")
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("name", DAYS)
def test_the_ends_of_the_calendar_are_days_like_others(signed_in, ada, order, name, day):
    assert filtered(signed_in(ada), **{name: day}).status == 200


@pytest.mark.parametrize("name", DAYS)
def test_a_day_that_does_not_exist_is_told_by_its_field(signed_in, ada, order, name):
    page = filtered(signed_in(ada), q="kim", **{name: "2026-02-30"})
    assert page.status == 422
    assert f"{name.replace('_', ' ').capitalize()}: Not a valid date" in page.part("results").text
    assert page.part("q").attributes["value"] == "kim"


def test_filters_and_words_must_all_hold(signed_in, ada, order):
    bring_in(order_document("A2", status="not paid", paid_at=None))
    bring_in(order_document("A3", status="deleted"))
    browser = signed_in(ada)
    both = filtered(browser, q="kim", status=["not paid", "deleted"])
    assert sorted(found(both)) == ["A2", "A3"]
    assert found(filtered(browser, q="kim", status="deleted")) == ["A3"]
    assert found(filtered(browser, q="nobody", status="deleted")) == []
    assert found(filtered(browser, status="paid", page="acme")) == [NUMBER]
    assert found(filtered(browser, page="other")) == []


@pytest.mark.parametrize(
    "cursor",
    [
        "2026-01-01_5",
        "2026-01-01T00:00:00Z_99999999999999999999999",
        "2026-01-01T00:00:00Z_-1",
        "0001-01-01T00:00:00+14:00_1",
        "9999-12-31T23:59:59-14:00_1",
        "0001-01-01T00:00:00Z_1",
        "rubbish",
        "",
    ],
)
@pytest.mark.parametrize("side", ["after", "before"])
def test_a_broken_place_in_the_list_leads_to_its_beginning_or_end(
    signed_in, ada, order, side, cursor
):
    bring_in(order_document("A2"))
    page = filtered(signed_in(ada), **{side: cursor})
    assert page.status == 200
    assert sorted(found(page)) == [NUMBER, "A2"]


@pytest.mark.parametrize("who", ["ada", "rob"])
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"q": "kim"},
        {"delivery": "delivered"},
        {"paid_from": "2020-01-01", "paid_to": "2030-01-01"},
    ],
)
@pytest.mark.usefixtures("acme")
def test_paging_visits_every_order_once_both_ways(signed_in, request, who, filters, monkeypatch):
    monkeypatch.setattr(results, "PAGE_SIZE", 3)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(1, 12):  # in threes of the same moment, their numbers against their times
        moment = (start - timedelta(hours=number // 3)).isoformat()
        status = "deleted" if number % 4 == 0 else "paid"
        bring_in(order_document(f"A{number}", status=status, created_at=moment, paid_at=moment))
    page = filtered(signed_in(request.getfixturevalue(who)), **filters)
    there = [found(page)]
    bring_in(order_document("A99", created_at="2026-06-01T00:00:00Z"))
    while "Older" in page.names:
        page = page.press("Older")
        there.append(found(page))
    back = [found(page)]
    while "Newer" in page.names:
        page = page.press("Newer")
        back.insert(0, found(page))
    forth = [number for numbers in there for number in numbers]
    assert sorted(forth) == sorted(f"A{number}" for number in range(1, 12))
    assert [number for numbers in back for number in numbers] == ["A99", *forth]


@pytest.mark.parametrize(
    ("filters", "listed"),
    [
        ({}, None),
        ({"q": "kim"}, "the 10,000 with the highest numbers are listed"),
        ({"paid_from": "2020-01-01", "paid_to": "2030-01-01"}, "the 10,000 that were paid last"),
    ],
)
def test_more_than_the_cap_are_not_counted(signed_in, ada, order, filters, listed, monkeypatch):
    for number in range(1, 4):
        bring_in(order_document(f"A{number}"))
    monkeypatch.setattr(results, "CAP", 3)
    count = filtered(signed_in(ada), **filters).parts(".count")[0].text
    assert "more than 10,000 orders" in count
    assert listed in count if listed else "listed" not in count
    monkeypatch.setattr(results, "CAP", 4)
    assert filtered(signed_in(ada), **filters).parts(".count")[0].text == "4 orders"


@pytest.mark.usefixtures("order")
def test_what_is_more_than_the_cap_is_not_counted_again(signed_in, app, ada, rob, monkeypatch):
    add_page("nord", "Nordsoft")
    bring_in(order_document("A1", checkout_page="nord"))
    bring_in(order_document("A2", checkout_page="nord"))
    browser = signed_in(ada)
    monkeypatch.setattr(results, "CAP", 2)

    def count(**filters):
        with statements(app) as ran:
            said = filtered(browser, **filters).parts(".count")[0].text
        return said, any("count(" in one for one in ran)

    assert count() == ("more than 10,000 orders", True)
    assert count() == ("more than 10,000 orders", False)
    assert count(page="nord") == ("2 orders", True)
    assert count(page="nord") == ("2 orders", True)
    assert count(status="paid") == ("more than 10,000 orders", True)
    assert count(status="paid") == ("more than 10,000 orders", True)
    browser = signed_in(rob)
    assert count() == ("1 order", True)


@pytest.mark.usefixtures("order")
def test_an_order_leads_back_to_the_results_that_led_to_it(signed_in, ada):
    bring_in(order_document("A2"))
    results = filtered(signed_in(ada), q="kim", status="paid")
    assert results.press(NUMBER).press("Back to the results").address == results.address
    assert filtered(signed_in(ada)).press(NUMBER).press("All orders").address == "/orders"


@pytest.mark.parametrize("where", ["/needs-a-license", "/needs-a-license?after=7"])
def test_an_order_leads_back_to_what_needs_a_license(signed_in, rob, order, where):
    referrer = {"Referer": f"http://localhost{where}"}
    page = signed_in(rob).open(f"/orders/{NUMBER}", headers=referrer)
    assert page.press("Back to what needs a license").address == where


@pytest.mark.parametrize("referrer", ["https://else.example/orders?q=kim", "http://[", "/login?x"])
def test_an_order_leads_to_nobody_elses_page(signed_in, ada, order, referrer):
    page = signed_in(ada).open(f"/orders/{NUMBER}", headers={"Referer": referrer})
    assert page.press("All orders").address == "/orders"


def test_a_portal_without_orders_says_so(signed_in, rob):
    assert "No orders yet" in filtered(signed_in(rob)).text


def test_what_finds_nothing_says_how_to_widen(signed_in, rob, order):
    page = filtered(signed_in(rob), q="kim", status="deleted")
    assert "Try a shorter part" in page.text
    assert page.press("search without filters").address == f"/orders/{NUMBER}"


def test_the_same_address_opens_the_same_result_with_and_without_htmx(signed_in, ada, order):
    bring_in(order_document("A2"))
    browser = signed_in(ada)
    page = browser.open("/orders").fill("Search orders", "kim").press("Find")
    assert page.address == "/orders?q=kim"
    assert found(browser.open(page.address)) == found(page)


def test_a_row_has_what_its_columns_are_called(signed_in, ada, acme):
    customer = {"company": "Larsen & Co"}
    for number in ("A1", "A2"):
        bring_in(order_document(number, customer=customer))
    page = filtered(signed_in(ada))
    heads = [head.text for head in page.parts("thead th")]
    row = [cell.text for cell in page.parts("tbody tr")[0].parts("th, td")]
    assert dict(zip(heads, row, strict=True)) == {
        "Number": "A2",
        "Created": "Nov 2, 2026, 9:00 AM",
        "Paid": "Nov 2, 2026, 9:05 AM",
        "Total": "€29.95",
        "Status": "paid Delivered",
        "Name": "Kim Larsen",
        "E-mail": "kim@example.com",
        "Company": "Larsen & Co",
        "Checkout page": "Acme Store",
    }


def facts(part):
    """What a list of facts says, by what it is about."""
    terms, definitions = part.parts("dt"), part.parts("dd")
    return {one.text: other.text for one, other in zip(terms, definitions, strict=True)}


def test_the_page_of_an_order_has_its_facts_and_its_customer(signed_in, ada, acme):
    customer = {"company": "Larsen & Co", "country": "DK", "phone": "+45 5550123", "type": "legal"}
    details = {"external_id": "EXT-1", "payment_method": "WireTransfer", "customer": customer}
    bring_in(order_document(**details))
    page = signed_in(ada).open(f"/orders/{NUMBER}")
    assert facts(page.parts("dl.facts")[0]) == {
        "Created": "Nov 2, 2026, 9:00 AM",
        "Paid": "Nov 2, 2026, 9:05 AM",
        "Total": "€29.95",
        "Payment method": "WireTransfer",
        "Checkout page": "Acme Store",
        "External id": "EXT-1",
    }
    assert facts(page.part("customer")) == {
        "Name": "Kim Larsen",
        "Company": "Larsen & Co",
        "Country": "Denmark",
        "Phone": "+45 5550123",
        "Type": "company",
    }
    text = page.part("customer").text
    assert text.index("kim@example.com") < text.index("Customer")
    license = page.parts(".license")[0]
    assert "saved Nov 2, 2026, 9:06 AM" in license.text
    assert license.parts("pre")[0].attributes["dir"] == "auto"
