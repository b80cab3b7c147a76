"""Try now: staff have the licenses of an item asked for at once."""

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.fulfilment.answer import Failure, Trouble
from portal.models import Fulfilment, FulfilmentState, OrderStatus, Tool, What
from tests.people import bring_in, order_document
from tests.test_fulfilment import set_tool
from tests.test_standing import awaited, working

ADDRESS = "/orders/A0005555555"


@pytest.fixture
def item(acme):
    return bring_in(order_document(codes=())).items[0]


@pytest.fixture
def fulfilment(item):
    """One that failed, of a product that has its tool by now."""
    (begun,) = Fulfilment.begin(item.order)
    begun.take(Trouble(Failure.ANSWER_UNUSABLE, "HTTP 200: empty", is_temporary=False))
    set_tool(begun, Tool.INFORMATION)
    return begun


def what(order):
    db.session.expire_all()
    return [entry.what for entry in order.history]


def test_what_failed_is_tried_again_at_once(signed_in, rob, fulfilment, mailbox):
    answer = signed_in(rob).open(ADDRESS).press("Try now")
    assert answer.status == 200
    assert "about to be obtained" in answer.part(f"standing-{fulfilment.item_id}").text
    assert "about to be obtained" in answer.part("announcement").text
    assert "asked for again" in answer.part("order-history").parts("li")[0].text
    assert "rob@example.com" in answer.part("order-history").parts("li")[0].text

    jobs.fulfil(fulfilment.id)
    assert fulfilment.state is FulfilmentState.DONE
    assert len(mailbox.messages) == 1


def test_the_worker_is_told(queue, signed_in, rob, fulfilment):
    signed_in(rob).open(ADDRESS).press("Try now")
    assert queue.pending_count() == 1


def test_an_item_from_a_file_gets_a_fulfilment(signed_in, rob, item):
    answer = signed_in(rob).open(ADDRESS).press("Try now")
    assert answer.status == 200
    assert item.fulfilment.due_at <= clock.now()
    assert what(item.order) == [What.FULFILMENT_BEGUN]

    jobs.fulfil(item.fulfilment.id)
    page = signed_in(rob).open(ADDRESS)
    assert "No fulfilment tool is set" in page.part(f"standing-{item.id}").text
    assert not [name for name in page.names if name.startswith("Try now")]


def deleted(fulfilment):
    fulfilment.item.order.status = OrderStatus.DELETED


def refunded(fulfilment):
    fulfilment.item.refunded_at = clock.now()


def fulfilled(fulfilment):
    fulfilment.item.fulfilled_at = clock.now()


def without_tool(fulfilment):
    fulfilment.product.tool = None


def due_again(fulfilment):
    fulfilment.due_at = clock.now()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (deleted, "status is “deleted”"),
        (refunded, "was refunded"),
        (fulfilled, "has been fulfilled"),
        (without_tool, "No fulfilment tool is set"),
        (working, "is being obtained now"),
        (due_again, "about to be obtained"),
        (awaited, "have to enter the license"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_the_reason(
    signed_in, rob, fulfilment, change, reason
):
    page = signed_in(rob).open(ADDRESS)
    change(fulfilment)
    db.session.commit()
    before = what(fulfilment.item.order)
    answer = page.press("Try now")
    assert answer.status == 409
    assert reason in answer.part("announcement").text
    assert what(fulfilment.item.order) == before
    anew = signed_in(rob).open(ADDRESS)
    assert not [name for name in anew.names if name.startswith("Try now")]


def test_two_at_once_begin_one(signed_in, rob, item):
    page, other = signed_in(rob).open(ADDRESS), signed_in(rob).open(ADDRESS)
    assert page.press("Try now").status == 200
    assert other.press("Try now").status == 409
    assert db.session.scalar(db.select(db.func.count(Fulfilment.id))) == 1
