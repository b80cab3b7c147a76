"""From the paid order to the mailbox by way of the vendor's web service."""

from datetime import timedelta

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.models import Fulfilment, FulfilmentState
from portal.models.product import Tool
from tests.people import bring_in, item_document, order_document
from tests.support.web_services import json_reply, reply, settings_for


@pytest.fixture
def order(acme):
    return bring_in(order_document(items=[item_document(codes=(), quantity=2)]))


@pytest.fixture
def fulfilment(order, service):
    (begun,) = Fulfilment.begin(order)
    begun.product.tool = Tool.WEB_SERVICE
    begun.product.settings = settings_for(service.url).stored
    db.session.commit()
    return begun


def test_the_licenses_are_saved_and_mailed(fulfilment, order, service, mailbox):
    service.answer = json_reply({"licenses": ["AAAA-1", "BBBB-2"]})
    jobs.fulfil(fulfilment.id)
    assert fulfilment.state is FulfilmentState.DONE
    assert [license.text for license in order.items[0].licenses] == ["AAAA-1", "BBBB-2"]
    [mail] = mailbox.wait_for(1)
    assert "AAAA-1" in mail.plain
    assert "BBBB-2" in mail.plain
    [asked] = service.asked
    assert asked.headers["keydesk-licenses"] == "2"
    assert asked.parameters["Order"] == order.number
    assert asked.parameters["Quantity"] == "2"


def test_a_web_service_that_is_down_is_asked_the_same_again(fulfilment, order, service, mailbox):
    service.answer = [reply("AAAA-1", status=503), json_reply({"licenses": ["AAAA-1", "BBBB-2"]})]
    jobs.fulfil(fulfilment.id)
    assert fulfilment.state is FulfilmentState.RETRYING
    assert fulfilment.detail == "HTTP 503 Service Unavailable"
    assert mailbox.empty
    fulfilment.due_at = clock.now() - timedelta(seconds=1)
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert fulfilment.state is FulfilmentState.DONE
    assert len({asked.headers["webhook-id"] for asked in service.asked}) == 1
    assert not any("AAAA" in (entry.answer or "") for entry in order.history)


def test_an_answer_that_cannot_be_used_needs_people(fulfilment, order, service):
    service.answer = reply("AAAA-1")
    jobs.fulfil(fulfilment.id)
    assert fulfilment.state is FulfilmentState.FAILED
    assert "licenses asked for: 2, licenses in it: 1" in order.history[0].answer
    assert order.items[0].licenses == []
