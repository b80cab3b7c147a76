"""A message says that an order is paid, and the license is in the customer's mailbox: by the jobs
that it queued, and by nothing else."""

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.fulfilment import worklist
from portal.models import Fulfilment, Hook, Order, PageSecret, Product, ProductText, Tool, What
from tests.people import item_document
from tests.support.senders import Sender, message
from tests.support.web_services import json_reply, reply, stored_settings_for


@pytest.fixture
def acme_sends(app, acme):
    secret = PageSecret.add(acme, Hook.WEBHOOK)
    db.session.commit()
    return Sender(app, "/hooks/acme", secret)


@pytest.fixture
def product(acme, service):
    product = Product.appear(acme.id, {"1001": "Sentinel Antivirus"})["1001"]
    product.tool, product.settings = Tool.WEB_SERVICE, stored_settings_for(service.url)
    db.session.commit()
    return product


def work():
    """Do what is queued, as the worker does."""
    db.session.rollback()
    queue = jobs.jobs().huey
    while task := queue.dequeue():
        queue.execute(task)
    db.session.expire_all()


def order():
    return db.session.get(Order, 5555555)


def test_a_paid_order_becomes_a_delivered_license(acme_sends, product, service, mailbox):
    service.answer = reply("AAAA-1")
    acme_sends.tell(message(codes=()))
    work()
    assert [license.text for license in order().items[0].licenses] == ["AAAA-1"]
    assert order().is_delivered
    assert "AAAA-1" in mailbox.wait_for(1)[0].plain
    assert [entry.what for entry in reversed(order().history)] == [
        What.ORDER_PAID,
        What.LICENSE_SAVED,
        What.EMAIL_SENT,
    ]


def test_the_same_message_again_asks_for_nothing(acme_sends, product, service, mailbox):
    service.answer = reply("AAAA-1")
    for _time in range(2):
        acme_sends.tell(message(codes=()), id="msg_1")
    acme_sends.tell(message(codes=()), id="msg_2")
    work()
    assert len(service.asked) == len(mailbox.messages) == 1


def test_an_order_that_is_not_paid_asks_for_nothing_until_it_is(acme_sends, product, service):
    service.answer = reply("AAAA-1")
    acme_sends.tell(message("order.created", codes=(), status="not paid", paid_at=None))
    work()
    assert service.asked == []
    acme_sends.tell(message(codes=()))
    work()
    assert len(service.asked) == 1


def test_one_tool_that_is_down_holds_up_its_own_item_alone(acme_sends, product, service, mailbox):
    service.answer = reply("", status=503)
    items = [
        item_document("1", codes=()),
        item_document("2", codes=(), product={"id": "2002", "name": "Sentinel VPN"}),
    ]
    vpn = Product.appear(product.checkout_page_id, {"2002": "Sentinel VPN"})["2002"]
    vpn.tool, vpn.settings = Tool.LICENSE_REQUEST, {}
    db.session.commit()
    acme_sends.tell(message(items=items))
    work()
    states = {item.product_code: item.fulfilment.state for item in order().items}
    assert states == {"1001": "retrying", "2002": "waiting"}
    assert not order().is_delivered


def test_more_units_of_what_was_delivered_are_delivered_as_well(
    acme_sends, product, service, mailbox
):
    service.answer = [reply("AAAA-1"), json_reply({"licenses": ["BBBB-2", "CCCC-3"]})]
    acme_sends.tell(message(codes=()))
    work()
    acme_sends.tell(message(items=[item_document(codes=(), quantity=3)]))
    assert not order().is_delivered
    work()
    assert [license.text for license in order().items[0].licenses] == ["AAAA-1", "BBBB-2", "CCCC-3"]
    assert order().is_delivered
    assert "AAAA-1" not in mailbox.wait_for(2)[1].plain


def test_what_was_not_queued_is_found_by_the_sweep(acme_sends, product, service):
    service.answer = reply("AAAA-1")
    acme_sends.tell(message(codes=()))
    jobs.jobs().huey.flush()  # as if the disk had been full
    assert len(worklist.due(10)) == 1
    jobs.sweep()
    work()
    assert order().is_delivered
    assert db.session.scalars(db.select(Fulfilment.state)).all() == ["done"]


def test_an_order_is_delivered_once_the_tool_that_was_down_is_back(
    acme_sends, product, service, mailbox
):
    service.answer = [reply("", status=503), reply("AAAA-1")]
    vpn = Product.appear(product.checkout_page_id, {"2002": "Sentinel VPN"})["2002"]
    vpn.tool = Tool.INFORMATION
    ProductText.write(vpn, "en", subject="", body="Thank you.", by=None)
    db.session.commit()
    items = [
        item_document("1", codes=()),
        item_document("2", codes=(), product={"id": "2002", "name": "Sentinel VPN"}),
    ]
    acme_sends.tell(message(items=items))
    work()
    states = {item.product_code: item.fulfilment.state for item in order().items}
    assert states == {"1001": "retrying", "2002": "done"}
    assert not order().is_delivered
    assert len(mailbox.messages) == 1

    order().items[0].fulfilment.due_at = clock.now()
    db.session.commit()
    jobs.sweep()
    work()
    assert order().is_delivered
    assert "AAAA-1" in mailbox.wait_for(2)[1].plain
