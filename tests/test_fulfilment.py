"""A paid item gets its licenses, whatever goes wrong on the way, and never twice."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import event

from portal import clock, jobs
from portal.extensions import db
from portal.fulfilment import worklist
from portal.fulfilment.answer import Failure, Trouble, Waits
from portal.models import (
    Fulfilment,
    License,
    Order,
    OrderStatus,
    Product,
    ProductText,
)
from portal.models.fulfilment import FulfilmentState
from portal.models.history import What
from portal.models.product import Tool
from tests.people import bring_in, item_document, order_document
from tests.pools import fill
from tests.test_processes import named
from tests.test_resends import wait_until_somebody_waits


@pytest.fixture
def paid(acme):
    """A paid order with one item, and nothing saved for it yet."""
    return bring_in(order_document(codes=()))


@pytest.fixture
def fulfilment(paid):
    (begun,) = Fulfilment.begin(paid)
    db.session.commit()
    return begun


def set_tool(fulfilment, tool, **settings):
    product = fulfilment.product
    product.tool, product.settings = tool, settings
    if tool is Tool.INFORMATION:
        ProductText.write(product, "en", subject="", body="Thank you.", by=None)
    db.session.commit()


def entries(order):
    db.session.expire_all()
    return [entry.what for entry in reversed(order.history)]


def test_a_product_appears_with_its_first_order(fulfilment, acme):
    assert Product.of(acme.id, "1001").name == "Sentinel Antivirus, 1 year"
    assert fulfilment.product.tool is None


def test_an_order_that_is_not_paid_begins_nothing(acme):
    order = bring_in(order_document(codes=(), status="not paid", paid_at=None))
    assert Fulfilment.begin(order) == []


def test_what_has_begun_does_not_begin_again(fulfilment, paid):
    assert Fulfilment.begin(paid) == []


def test_an_item_whose_product_has_no_tool_waits_and_says_so_once(fulfilment, paid):
    jobs.fulfil(fulfilment.id)
    assert (fulfilment.state, fulfilment.due_at) == (FulfilmentState.WAITING, None)
    assert entries(paid) == [What.FULFILMENT_WAITS]
    assert "not set up" in paid.history[0].reason
    assert fulfilment.refusal().word == "no_tool"


def test_an_information_is_mailed_without_a_license(fulfilment, paid, mailbox):
    set_tool(fulfilment, Tool.INFORMATION)
    jobs.fulfil(fulfilment.id)
    assert fulfilment.state is FulfilmentState.DONE
    assert paid.is_delivered
    assert paid.items[0].licenses == []
    assert [message["To"] for message in mailbox.messages] == ["kim@example.com"]


def test_an_information_without_a_text_has_failed(fulfilment, paid, mailbox):
    fulfilment.product.tool = Tool.INFORMATION
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert (fulfilment.state, fulfilment.failure) == (FulfilmentState.FAILED, "text_missing")
    assert mailbox.empty


def test_a_tool_that_is_not_set_up_well_has_failed(fulfilment, paid):
    set_tool(fulfilment, Tool.WEB_SERVICE)
    jobs.fulfil(fulfilment.id)
    assert fulfilment.state is FulfilmentState.FAILED
    assert entries(paid) == [What.FULFILMENT_FAILED]
    assert not paid.is_delivered


def test_one_failed_item_does_not_make_the_whole_order_done(acme, mailbox):
    items = [
        item_document("1", codes=()),
        item_document("2", codes=(), product={"id": "2002", "name": "Sentinel VPN"}),
    ]
    order = bring_in(order_document(items=items))
    good, bad = Fulfilment.begin(order)
    set_tool(good, Tool.INFORMATION)
    set_tool(bad, Tool.WEB_SERVICE)
    for fulfilment in (bad, good):
        jobs.fulfil(fulfilment.id)
    assert (good.state, bad.state) == (FulfilmentState.DONE, FulfilmentState.FAILED)
    assert not order.is_delivered


def test_an_order_that_was_refunded_meanwhile_is_not_fulfilled(fulfilment, paid, mailbox):
    set_tool(fulfilment, Tool.INFORMATION)
    paid.status = OrderStatus.DELETED
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert fulfilment.due_at is None
    assert mailbox.empty


def test_who_claims_second_finds_nothing_due(fulfilment):
    set_tool(fulfilment, Tool.INFORMATION)
    assert worklist.claim(fulfilment.id) is fulfilment
    db.session.commit()
    assert worklist.claim(fulfilment.id) is None
    assert worklist.due(10) == []


@pytest.fixture
def meanwhile(app):
    """Have another process do something as soon as so many transactions have ended: with the first
    an item is claimed, with the second its tool is about to be asked."""

    def meanwhile(deed, *, commits):
        left = [commits]

        def elsewhere():
            with app.app_context():
                deed()
                db.session.commit()

        def committed(_session):
            left[0] -= 1
            if left[0] == 0:
                other = Thread(target=elsewhere)
                other.start()
                other.join()

        db.session.commit()
        event.listen(db.session, "after_commit", committed)
        listening.append(committed)

    listening = []
    yield meanwhile
    for committed in listening:
        event.remove(db.session, "after_commit", committed)


def test_what_is_refunded_after_the_claim_is_not_asked_for(
    fulfilment, paid, pool, meanwhile, mailbox
):
    fill(pool, "AV7K2")
    set_tool(fulfilment, Tool.POOL, pool_id=pool.id)
    order_id = paid.id

    def refund():
        db.session.get_one(Order, order_id).status = OrderStatus.DELETED

    meanwhile(refund, commits=1)
    jobs.fulfil(fulfilment.id)
    assert (fulfilment.state, fulfilment.due_at) == (FulfilmentState.WAITING, None)
    assert pool.stock == 1
    assert paid.items[0].licenses == []
    assert mailbox.empty


@pytest.mark.parametrize("commits", [1, 2])
def test_who_slept_until_another_took_over_takes_nothing_from_the_pool(
    fulfilment, paid, pool, meanwhile, mailbox, commits
):
    fill(pool, "AV7K2", "BW8L3")
    set_tool(fulfilment, Tool.POOL, pool_id=pool.id)
    fulfilment_id = fulfilment.id

    def take_over():
        db.session.get_one(Fulfilment, fulfilment_id).due_at = clock.now() - timedelta(seconds=1)
        db.session.commit()
        jobs.fulfil(fulfilment_id)

    meanwhile(take_over, commits=commits)
    jobs.fulfil(fulfilment.id)
    assert (fulfilment.state, fulfilment.attempts) == (FulfilmentState.DONE, 2)
    assert [license.text for license in paid.items[0].licenses] == ["AV7K2"]
    assert pool.stock == 1
    assert len(mailbox.messages) == 1


@pytest.fixture
def gone():
    """The name of a process that has ended."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    return named(ended.pid)


def test_what_a_process_had_claimed_that_is_gone_is_due_at_once(fulfilment, paid, gone):
    set_tool(fulfilment, Tool.INFORMATION)
    worklist.claim(fulfilment.id)
    db.session.commit()
    assert worklist.release_lost() == 0

    fulfilment.claimed_by = gone
    db.session.commit()
    assert worklist.release_lost() == 1
    assert worklist.due(10) == [fulfilment.id]
    assert entries(paid) == [What.FULFILMENT_RETRIES]
    assert "ended while" in paid.history[0].reason


def test_what_ends_every_process_that_claims_it_waits_longer_and_longer(fulfilment, gone):
    set_tool(fulfilment, Tool.INFORMATION)
    for _death in range(5):
        worklist.claim(fulfilment.id).claimed_by = gone
        db.session.commit()
        worklist.release_lost()
    assert fulfilment.state is FulfilmentState.RETRYING
    assert fulfilment.failure == Failure.TOOL_BROKE_DOWN
    assert fulfilment.due_at > clock.now() + timedelta(minutes=10)


def test_a_claim_that_ran_out_is_taken_over(fulfilment, paid):
    set_tool(fulfilment, Tool.INFORMATION)
    worklist.claim(fulfilment.id)
    fulfilment.due_at = clock.now() - timedelta(seconds=1)
    db.session.commit()
    assert worklist.claim(fulfilment.id).attempts == 2
    assert entries(paid) == [What.FULFILMENT_RETRIES]


def test_what_cannot_be_saved_is_tried_later_and_said(fulfilment, paid, pool):
    """The place of a license is taken by another one: the database says no to the second."""
    former = License.saved(paid.items[0], "FORMER-1")
    former.position, former.revoked_at = 2, clock.now()
    fill(pool, "AV7K2")
    set_tool(fulfilment, Tool.POOL, pool_id=pool.id)
    jobs.fulfil(fulfilment.id)
    assert fulfilment.failure == Failure.TOOL_BROKE_DOWN
    assert fulfilment.due_at > clock.now()
    assert paid.items[0].licenses == [former]

    former.position = 1
    fulfilment.due_at = clock.now()
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert [license.text for license in paid.items[0].licenses] == ["FORMER-1", "AV7K2"]


def test_who_lost_a_claim_changes_nothing_any_more(fulfilment):
    set_tool(fulfilment, Tool.INFORMATION)
    attempt = worklist.claim(fulfilment.id).attempt
    fulfilment.due_at = clock.now() - timedelta(seconds=1)
    db.session.commit()
    worklist.claim(fulfilment.id)
    assert not fulfilment.is_at(attempt)


def test_a_lost_mail_is_sent_again_under_the_same_message_id(fulfilment, mail_server, mailbox):
    set_tool(fulfilment, Tool.INFORMATION)
    mail_server(at="BODY", does="drop")
    jobs.fulfil(fulfilment.id)
    (delivery,) = fulfilment.item.order.deliveries
    lost = delivery.message_id
    assert delivery.due_at > clock.now()
    assert entries(fulfilment.item.order)[-1] is What.EMAIL_LOST

    delivery.due_at = clock.now()
    db.session.commit()
    mail_server()
    jobs.send(delivery.id)
    assert (delivery.message_id, delivery.attempts) == (lost, 2)
    assert entries(fulfilment.item.order)[-1] is What.EMAIL_SENT


def test_what_waited_for_days_is_tried_again_after_its_first_hiccup(fulfilment):
    set_tool(fulfilment, Tool.LICENSE_REQUEST)
    fulfilment.started_at = clock.now() - timedelta(days=3)
    fulfilment.take(Waits(Failure.LICENSE_AWAITED))
    set_tool(fulfilment, Tool.INFORMATION)
    Fulfilment.wake(fulfilment.product)
    db.session.commit()
    worklist.claim(fulfilment.id).take(Trouble(Failure.SERVICE_BUSY))
    assert fulfilment.state is FulfilmentState.RETRYING


def test_who_lost_a_claim_before_a_person_began_anew_changes_nothing(fulfilment, rob):
    set_tool(fulfilment, Tool.INFORMATION)
    attempt = worklist.claim(fulfilment.id).attempt
    fulfilment.take(Trouble(Failure.SERVICE_REFUSED, is_temporary=False))
    fulfilment.start_again(by=rob)
    db.session.commit()
    worklist.claim(fulfilment.id)
    assert not fulfilment.is_at(attempt)


def test_what_is_to_be_tried_later_is_tried_once_the_product_is_set_up_anew(fulfilment):
    fulfilment.take(Trouble(Failure.SERVICE_BUSY))
    assert fulfilment.due_at > clock.now()
    assert Fulfilment.wake(fulfilment.product) == [fulfilment.id]
    db.session.commit()
    assert (fulfilment.is_due, fulfilment.attempts) == (True, 0)


def test_what_is_claimed_meanwhile_is_not_woken(app, database, fulfilment):
    set_tool(fulfilment, Tool.INFORMATION)
    product_id = fulfilment.product_id
    worklist.claim(fulfilment.id)
    db.session.flush()

    def wake():
        with app.app_context():
            Fulfilment.wake(db.session.get(Product, product_id))
            db.session.commit()

    with ThreadPoolExecutor(1) as thread:
        woken = thread.submit(wake)
        wait_until_somebody_waits(db.session, database)
        db.session.commit()
        woken.result()
    assert fulfilment.state is FulfilmentState.WORKING
    assert fulfilment.due_at > clock.now()


def test_what_is_done_and_due_all_the_same_stays_done(fulfilment, mailbox):
    set_tool(fulfilment, Tool.INFORMATION)
    jobs.fulfil(fulfilment.id)
    fulfilment.due_at = clock.now()
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert (fulfilment.state, fulfilment.due_at) == (FulfilmentState.DONE, None)


@pytest.mark.parametrize("change", ["refunded_at", "fulfilled_at", "status"])
def test_what_nobody_waits_for_is_not_counted(fulfilment, change):
    assert Fulfilment.awaiting([fulfilment.product]) == {fulfilment.product_id: {"waiting": 1}}
    item = fulfilment.item
    if change == "status":
        item.order.status = OrderStatus.DELETED
    else:
        setattr(item, change, clock.now())
    db.session.commit()
    assert Fulfilment.awaiting([fulfilment.product]) == {}


def test_what_failed_is_started_again_for_all_whose_order_allows_it(acme, rob):
    orders = [bring_in(order_document(f"A{number}", codes=())) for number in range(1, 4)]
    begun = [Fulfilment.begin(order)[0] for order in orders]
    for fulfilment in begun:
        fulfilment.take(Trouble(Failure.SERVICE_REFUSED, is_temporary=False))
    orders[0].items[0].refunded_at = clock.now()
    set_tool(begun[0], Tool.INFORMATION)
    assert Fulfilment.start_failed(begun[0].product, by=rob) == 2
    db.session.commit()
    assert [fulfilment.is_due for fulfilment in begun] == [False, True, True]
    assert [entries(order)[-1] for order in orders[1:]] == [What.FULFILMENT_STARTED] * 2
    assert orders[1].history[0].by is rob
    assert Fulfilment.start_failed(begun[0].product, by=rob) == 0
