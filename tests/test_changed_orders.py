"""Messages change an order whose items are fulfilled or about to be: what was bought, and not one
license more, is obtained."""

import json

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.fulfilment.answer import Failure, Waits
from portal.intake.document import read_document
from portal.intake.upsert import upsert
from portal.models import (
    Fulfilment,
    FulfilmentState,
    LicenseQuantity,
    Order,
    Product,
    What,
    need,
)
from portal.models.product import Tool
from portal.models.replacement import replace
from tests.people import bring_in, item_document, order_document
from tests.pools import fill, paid, texts
from tests.support.web_services import json_reply, reply, stored_settings_for
from tests.test_fulfilment import entries, set_tool

VPN = {"id": "2002", "name": "Sentinel VPN"}


@pytest.fixture
def vendor(service):
    """A vendor's web service that answers the same request alike, and another one with codes that
    were never given before."""
    given = {}

    def answer(handler, closing):
        id, wanted = handler.headers["webhook-id"], int(handler.headers["keydesk-licenses"])
        codes = given.setdefault(
            id, [f"CODE-{len(given) + 1}-{number}" for number in range(wanted)]
        )
        json_reply({"licenses": codes})(handler, closing)

    service.answer = answer
    return service


@pytest.fixture
def fulfilment(acme, vendor):
    """The fulfilment of one unit, which was delivered by the vendor's web service."""
    tell(quantity=1)
    (begun,) = db.session.scalars(db.select(Fulfilment))
    set_tool(begun, Tool.WEB_SERVICE, **stored_settings_for(vendor.url))
    jobs.fulfil(begun.id)
    assert begun.state is FulfilmentState.DONE
    return begun


def tell(*more, codes=(), **item):
    """A message arrives about the ordinary order: its item is as it says by now."""
    document = order_document(items=[item_document(codes=codes, **item), *more])
    news = read_document(json.dumps(document)).told(clock.now())
    (outcome,) = upsert([news])
    assert not isinstance(outcome, Exception)
    db.session.expire_all()
    begun = Fulfilment.begin(db.session.get_one(Order, news.order_id))
    db.session.commit()
    return begun


def ids(service):
    return [asked.headers["webhook-id"] for asked in service.asked]


def test_one_more_is_another_request_and_brings_another_code(fulfilment, vendor, mailbox):
    assert tell(quantity=2) == [fulfilment]
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == ["CODE-1-0", "CODE-2-0"]
    assert len({*ids(vendor)}) == 2
    assert What.FULFILMENT_REOPENED in entries(fulfilment.item.order)
    _first, second = mailbox.wait_for(2)
    assert "CODE-2-0" in second.plain
    assert "CODE-1-0" not in second.plain


def test_a_code_that_the_item_had_before_is_not_delivered_again(fulfilment, rob, vendor, mailbox):
    (faulty,) = fulfilment.item.licenses
    replace(faulty, "GOOD-1", because="It is blocked", by=rob, token="t1")
    db.session.commit()
    vendor.answer = reply("CODE-1-0")
    tell(quantity=2)
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == ["CODE-1-0", "GOOD-1"]
    assert (fulfilment.state, fulfilment.failure) == (FulfilmentState.FAILED, "license_known")
    assert "has had before" in fulfilment.item.order.history[0].reason
    assert len(mailbox.messages) == 1

    vendor.answer = reply("CODE-3")
    fulfilment.start_again(by=rob)
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment)[2:] == ["CODE-3"]
    assert len({*ids(vendor)}) == 3


def test_of_what_the_vendor_mails_one_more_is_asked_for(fulfilment, vendor, mailbox):
    tell(item_document("2", codes=(), product=VPN), quantity=1)
    other = fulfilment.item.order.items[1].fulfilment
    settings = stored_settings_for(vendor.url, vendor_mails=True)
    set_tool(other, Tool.WEB_SERVICE, **settings)
    jobs.fulfil(other.id)
    assert other.state is FulfilmentState.DONE
    assert other.item.licenses == []

    tell(item_document("2", codes=(), product=VPN, quantity=3), quantity=1)
    assert not fulfilment.item.order.is_delivered
    jobs.fulfil(other.id)
    assert other.state is FulfilmentState.DONE
    assert fulfilment.item.order.is_delivered
    assert [asked.headers["keydesk-licenses"] for asked in vendor.asked] == ["1", "1", "2"]


def test_an_information_is_not_mailed_again_for_one_more(acme, mailbox):
    tell(quantity=1)
    (begun,) = db.session.scalars(db.select(Fulfilment))
    set_tool(begun, Tool.INFORMATION)
    jobs.fulfil(begun.id)
    assert tell(quantity=2) == []
    assert len(mailbox.messages) == 1


def test_of_what_came_with_its_license_one_more_is_obtained(acme, vendor, mailbox):
    product = Product.appear(acme.id, {"1001": "Sentinel"})["1001"]
    product.tool, product.settings = Tool.WEB_SERVICE, stored_settings_for(vendor.url)
    db.session.commit()
    tell(codes=["OURS-1"])
    assert db.session.scalars(db.select(Fulfilment)).all() == []

    (begun,) = tell(quantity=2, codes=["OURS-1"])
    jobs.fulfil(begun.id)
    assert texts(begun) == ["OURS-1", "CODE-1-0"]


def test_what_comes_with_all_its_licenses_is_not_obtained(acme):
    tell(codes=["OURS-1"])
    assert tell(codes=["OURS-1", "OURS-2"]) == []
    assert db.session.scalars(db.select(Fulfilment.state)).all() in ([], [FulfilmentState.DONE])


def test_another_license_quantity_reopens_nothing_that_is_done(acme, vendor, mailbox):
    product = Product.appear(acme.id, {"1001": "Sentinel"})["1001"]
    product.tool, product.settings = Tool.WEB_SERVICE, stored_settings_for(vendor.url)
    product.license_quantity = LicenseQuantity.PER_ITEM
    other = item_document("2", product=VPN)
    (begun,) = tell(other, quantity=5)
    jobs.fulfil(begun.id)
    product.license_quantity = LicenseQuantity.PER_UNIT
    db.session.commit()

    back = other | {"refunded_at": "2026-11-05T10:00:00+01:00"}
    assert tell(back, quantity=5) == []
    assert begun.state is FulfilmentState.DONE
    assert begun.item.order.is_delivered

    assert tell(back, quantity=6) == [begun]
    jobs.fulfil(begun.id)
    assert len(texts(begun)) == 2


def test_what_has_all_its_licenses_by_now_is_finished_without_a_mail(pool, acme, mailbox):
    fill(pool, "A-1")
    fulfilment = paid(pool, quantity=3, parts=True)
    jobs.fulfil(fulfilment.id)
    fulfilment.product.license_quantity = LicenseQuantity.PER_ITEM
    fulfilment.due_at = clock.now()
    db.session.commit()
    before = entries(fulfilment.item.order)
    fill(pool, "A-2")

    jobs.fulfil(fulfilment.id)
    assert fulfilment.state is FulfilmentState.DONE
    assert fulfilment.item.fulfilled_at
    assert entries(fulfilment.item.order) == before
    assert len(mailbox.messages) == 1
    assert pool.stock == 1


def test_less_was_bought_than_an_item_waits_for(pool, acme, mailbox):
    fill(pool, "A-1")
    fulfilment = paid(pool, quantity=3, parts=True)
    jobs.fulfil(fulfilment.id)
    tell(quantity=1)
    assert fulfilment.state is FulfilmentState.DONE
    assert fulfilment.item.order.is_delivered
    assert len(mailbox.messages) == 1


@pytest.fixture
def awaited(acme):
    """A fulfilment that waits for the vendor's staff."""
    (begun,) = tell(quantity=1)
    set_tool(begun, Tool.LICENSE_REQUEST)
    jobs.fulfil(begun.id)
    assert begun.failure == Failure.LICENSE_AWAITED
    return begun


@pytest.mark.parametrize("way", [tell, lambda codes: bring_in(order_document(codes=codes))])
def test_a_license_that_comes_with_a_document_ends_the_wait(awaited, acme, way):
    assert need.find([acme]) == [awaited]
    way(codes=["OURS-1"])
    assert awaited.state is FulfilmentState.DONE
    assert (awaited.due_at, awaited.failure) == (None, None)
    assert need.find([acme]) == []


def test_a_license_that_comes_while_the_tool_is_asked_leaves_nothing_open(awaited):
    awaited.state, awaited.due_at = FulfilmentState.WORKING, clock.now()
    db.session.commit()
    tell(codes=["OURS-1"])
    assert awaited.state is FulfilmentState.WORKING
    jobs.fulfil(awaited.id)
    assert (awaited.state, awaited.due_at) == (FulfilmentState.DONE, None)


def test_an_item_that_has_its_license_needs_none(awaited, acme):
    awaited.item.fulfilled_at = clock.now()
    db.session.commit()
    assert need.find([acme]) == []


def test_an_item_that_becomes_another_product_gets_the_license_of_that(awaited, vendor):
    former = awaited.request_id
    vpn = Product.appear(awaited.product.checkout_page_id, {"2002": "VPN"})["2002"]
    vpn.tool, vpn.settings = Tool.WEB_SERVICE, stored_settings_for(vendor.url)
    db.session.commit()
    tell(quantity=1, product=VPN)
    assert awaited.product is vpn
    assert awaited.due_at <= clock.now()
    assert awaited.request_id != former
    jobs.fulfil(awaited.id)
    assert awaited.state is FulfilmentState.DONE
    assert [asked.parameters["ID"] for asked in vendor.asked] == ["2002"]


def test_an_item_that_became_another_product_while_its_tool_was_asked(awaited, vendor):
    awaited.state, awaited.due_at = FulfilmentState.WORKING, clock.now()
    db.session.commit()
    vpn = Product.appear(awaited.product.checkout_page_id, {"2002": "VPN"})["2002"]
    vpn.tool, vpn.settings = Tool.WEB_SERVICE, stored_settings_for(vendor.url)
    db.session.commit()
    tell(quantity=1, product=VPN)
    awaited.take(Waits(Failure.LICENSE_AWAITED))
    awaited.due_at = clock.now()
    db.session.commit()
    jobs.fulfil(awaited.id)
    assert awaited.state is FulfilmentState.DONE
    assert [asked.parameters["ID"] for asked in vendor.asked] == ["2002"]
