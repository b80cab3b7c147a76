"""Where an item stands is said in words, with what comes next for the person who reads."""

from datetime import timedelta

import pytest

from portal import clock
from portal.extensions import db
from portal.formats import clock_time
from portal.fulfilment.answer import DoneElsewhere, Failure, Licenses, Trouble, Waits
from portal.models import Fulfilment, FulfilmentState, OrderStatus, Tool, standing
from tests.people import bring_in, order_document

ADDRESS = "/orders/A0005555555"


@pytest.fixture
def item(acme):
    """An item of a paid order that nothing has been started for."""
    return bring_in(order_document(codes=())).items[0]


@pytest.fixture
def fulfilment(item):
    (begun,) = Fulfilment.begin(item.order)
    begun.product.tool = Tool.WEB_SERVICE
    db.session.commit()
    return begun


def working(found):
    found.state = FulfilmentState.WORKING


def due(_found):
    pass


def overdue(found):
    found.due_at = clock.now() - timedelta(minutes=6)


def retrying(found):
    found.attempts = 3
    found.take(Trouble(Failure.SERVICE_BUSY, "HTTP 503"))


def retrying_without_detail(found):
    found.attempts = 1
    found.take(Trouble(Failure.SERVICE_UNREACHABLE))


def resting(found):
    found.take(Waits(Failure.SERVICE_RESTS, until=clock.now() + timedelta(hours=1)))


def failed(found):
    found.attempts = 4
    found.take(Trouble(Failure.ANSWER_UNUSABLE, "HTTP 200: empty", is_temporary=False))


def short_pool(found):
    found.product.tool, found.item.quantity = Tool.POOL, 3
    found.take(Waits(Failure.POOL_EMPTY))


def awaited(found):
    found.product.tool = Tool.LICENSE_REQUEST
    found.take(Waits(Failure.LICENSE_AWAITED))


def no_tool(found):
    found.product.tool = None
    found.take(Waits(Failure.TOOL_NOT_SET_UP))


def elsewhere(found):
    found.take(DoneElsewhere())


def informed(found):
    found.product.tool = Tool.INFORMATION
    found.take(DoneElsewhere(email=True))


# What has come to pass, the word, a part of the sentence, of the next step of agents and operators.
STANDINGS = [
    (working, "working", "is being obtained now", "tells", "tells"),
    (due, "due", "about to be obtained", "", ""),
    (overdue, "overdue", "no worker has taken it up", "Tell an operator", "keydesk worker"),
    (retrying, "retrying", "the vendor’s web service, tried 3 times, next at", "", ""),
    (retrying, "retrying", ": HTTP 503", "", ""),
    (retrying_without_detail, "retrying", "tried once, next at", "", ""),
    (retrying_without_detail, "retrying", "web service cannot be reached", "", ""),
    (resting, "service_rests", "is asked less often, next at", "", ""),
    (failed, "failed", "Failed for good, tried 4 times: HTTP 200", "Tell an operator", "Mend it"),
    (short_pool, "pool_empty", "3 licenses are missing", "Ask an operator", "Upload licenses"),
    (awaited, "license_awaited", "staff to enter a license", "Enter it here", "Enter it here"),
    (no_tool, "no_tool", "No fulfilment tool is set for", "Ask an operator", "Set a tool"),
    (elsewhere, "delivered_elsewhere", "mails the license itself", "Ask the vendor", "Ask the"),
    (informed, "information_mailed", "no license, so there is nothing to resend", "", ""),
]


@pytest.mark.parametrize(("change", "word", "said", "step", "operators_step"), STANDINGS)
def test_an_item_says_where_it_stands(
    fulfilment, rob, ada, change, word, said, step, operators_step
):
    change(fulfilment)
    db.session.commit()
    stands = standing.of(fulfilment.item)
    assert stands.word == word
    assert said in stands.sentence
    assert step in stands.step_for(rob)
    assert operators_step in stands.step_for(ada)
    assert "operator" not in stands.step_for(ada)


@pytest.mark.parametrize("change", [no_tool, short_pool, failed])
def test_an_operator_is_led_to_the_product_and_an_agent_is_not(
    fulfilment, signed_in, rob, ada, change
):
    change(fulfilment)
    product_id = fulfilment.product_id
    page = signed_in(ada).open(ADDRESS).press("Open the product")
    assert page.address == f"/products/{product_id}"
    assert "Open the product" not in signed_in(rob).open(ADDRESS).names


def test_the_next_try_is_said_as_the_reader_writes_times(fulfilment, signed_in, rob):
    retrying(fulfilment)
    fulfilment.due_at = clock.now() + timedelta(days=2)
    page = signed_in(rob).open(ADDRESS)
    block = page.part(f"item-{fulfilment.item_id}")
    # Each run of blanks is one here, and a time has a narrow one.
    time = " ".join(clock_time(fulfilment.due_at).split())
    assert f"tried 3 times, next at {time}: HTTP 503" in block.text


def test_an_item_with_its_licenses_has_nothing_more_to_say(fulfilment):
    fulfilment.take(Licenses(["NEW-1"]))
    assert standing.of(fulfilment.item) is None


def test_an_item_that_lacks_some_of_its_licenses_says_so_below_them(fulfilment, signed_in, rob):
    fulfilment.product.tool, fulfilment.item.quantity = Tool.POOL, 3
    fulfilment.take(Licenses(["NEW-1"], is_all=False))
    page = signed_in(rob).open(ADDRESS)
    text = page.part(f"item-{fulfilment.item_id}").text
    assert text.index("NEW-1") < text.index("2 licenses are missing")


def test_an_item_from_a_file_says_that_nothing_was_started(item, signed_in, rob):
    block = signed_in(rob).open(ADDRESS).part(f"item-{item.id}")
    assert "came from a file, and nothing was started" in block.text
    assert block.names == ["Try now to obtain Sentinel Antivirus, 1 year"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda item: setattr(item, "refunded_at", clock.now()), "was refunded before"),
        (lambda item: setattr(item.order, "status", OrderStatus.DELETED), "the order is closed"),
        (lambda item: setattr(item.order, "status", OrderStatus.NOT_PAID), "is not paid"),
    ],
)
def test_what_became_of_the_order_comes_first(fulfilment, change, said):
    failed(fulfilment)
    change(fulfilment.item)
    assert said in standing.of(fulfilment.item).sentence


@pytest.mark.parametrize(
    "change", [row[0] for row in STANDINGS if row[0] not in (elsewhere, informed)]
)
def test_an_order_is_not_delivered_while_an_item_waits(fulfilment, change):
    change(fulfilment)
    assert not fulfilment.item.order.is_delivered


@pytest.mark.parametrize("change", [elsewhere, informed])
def test_an_order_whose_items_are_done_without_licenses_is_delivered(fulfilment, change):
    change(fulfilment)
    assert fulfilment.item.order.is_delivered


def test_a_refunded_item_that_failed_does_not_keep_an_order_from_being_delivered(fulfilment):
    failed(fulfilment)
    fulfilment.item.refunded_at = clock.now()
    assert fulfilment.item.order.is_delivered


def test_how_many_a_pool_lacks_is_not_shown_as_somebodys_answer(fulfilment, signed_in, rob):
    fulfilment.take(Waits(Failure.POOL_EMPTY, "1"))
    assert "Answer" not in signed_in(rob).open(ADDRESS).part("order-history").text
