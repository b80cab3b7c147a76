"""From the paid order to the mailbox by way of the vendor's web service."""

import threading
from datetime import timedelta

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.fulfilment.answer import Failure, Trouble
from portal.models import Endpoint, Fulfilment, FulfilmentState, License, What, standing
from portal.models.endpoint import MANY
from portal.models.product import Tool
from tests.people import bring_in, item_document, order_document
from tests.support.web_services import json_reply, reply, settings_for, stored_settings_for


@pytest.fixture
def order(acme):
    return bring_in(order_document(items=[item_document(codes=(), quantity=2)]))


@pytest.fixture
def fulfilment(order, service):
    (begun,) = Fulfilment.begin(order)
    begun.product.tool = Tool.WEB_SERVICE
    begun.product.settings = stored_settings_for(service.url)
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


def test_another_number_of_licenses_is_another_request(fulfilment, order, service):
    service.answer = [reply("", status=503), reply("AAAA-1")]
    jobs.fulfil(fulfilment.id)
    License.saved(order.items[0], "BBBB-2")  # as a person does who has one of the two
    fulfilment.due_at = clock.now()
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert fulfilment.state is FulfilmentState.DONE
    assert len({asked.headers["webhook-id"] for asked in service.asked}) == 2


def test_a_web_service_that_fails_for_many_is_left_alone_for_a_while(acme, service):
    service.answer = reply("", status=503)
    items = [item_document(f"{number}", codes=()) for number in range(7)]
    begun = Fulfilment.begin(bring_in(order_document(items=items)))
    begun[0].product.tool = Tool.WEB_SERVICE
    begun[0].product.settings = stored_settings_for(service.url)
    db.session.commit()
    for fulfilment in begun:
        jobs.fulfil(fulfilment.id)
    assert len(service.asked) == 5
    assert [fulfilment.attempts for fulfilment in begun] == [1, 1, 1, 1, 1, 0, 0]
    assert begun[-1].failure == "service_rests"
    assert begun[-1].due_at > clock.now()

    service.answer = reply("AAAA-1")
    db.session.get_one(Endpoint, origin_of(service)).next_probe_at = clock.now()
    begun[-1].due_at = clock.now()
    db.session.commit()
    jobs.fulfil(begun[-1].id)
    assert begun[-1].state is FulfilmentState.DONE
    assert db.session.get(Endpoint, origin_of(service)) is None


def origin_of(service):
    return settings_for(service.url).origin


@pytest.fixture
def resting(fulfilment, service):
    """The web service has failed so often that it is asked now and then."""
    for _failure in range(MANY):
        Endpoint.failed(origin_of(service))
    db.session.commit()


def test_whoever_rests_keeps_what_is_known_of_former_attempts(fulfilment, service, resting):
    fulfilment.take(Trouble(Failure.SERVICE_BUSY, "HTTP 503 Service Unavailable"))
    fulfilment.attempts, fulfilment.due_at = 3, clock.now()
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert service.asked == []
    sentence = standing.of(fulfilment.item).sentence
    assert "tried 3 times" in sentence
    assert "HTTP 503 Service Unavailable" in sentence


def test_patience_ends_while_the_web_service_rests(fulfilment, order, service, resting, mailbox):
    order.checkout_page.vendor_email = "boss@acme.example"
    fulfilment.take(Trouble(Failure.SERVICE_BUSY, "HTTP 503 Service Unavailable"))
    fulfilment.attempts, fulfilment.due_at = 9, clock.now()
    fulfilment.started_at = clock.now() - timedelta(hours=48)
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert service.asked == []
    assert (fulfilment.state, fulfilment.due_at) == (FulfilmentState.FAILED, None)
    assert (fulfilment.attempts, fulfilment.detail) == (9, "HTTP 503 Service Unavailable")
    assert order.history[0].what is What.VENDOR_TOLD
    assert order.history[1].what is What.FULFILMENT_FAILED
    assert [message["To"] for message in mailbox.messages] == ["boss@acme.example"]


def test_try_now_asks_a_web_service_that_rests(fulfilment, order, service, resting, signed_in, rob):
    service.answer = json_reply({"licenses": ["AAAA-1", "BBBB-2"]})
    jobs.fulfil(fulfilment.id)
    assert service.asked == []
    signed_in(rob).open("/orders/A0005555555").press("Try now")
    jobs.fulfil(fulfilment.id)
    assert len(service.asked) == 1
    assert fulfilment.state is FulfilmentState.DONE


@pytest.mark.parametrize("answer", [reply("", status=202), reply("out of stock", status=400)])
def test_a_web_service_that_answers_for_one_item_is_not_left_alone_for_others(
    acme, service, answer
):
    service.answer = answer
    items = [item_document(f"{number}", codes=()) for number in range(7)]
    begun = Fulfilment.begin(bring_in(order_document(items=items)))
    begun[0].product.tool = Tool.WEB_SERVICE
    stored = stored_settings_for(service.url, temporary_pattern="out of stock")
    begun[0].product.settings = stored
    db.session.commit()
    for fulfilment in begun:
        jobs.fulfil(fulfilment.id)
    assert [fulfilment.attempts for fulfilment in begun] == [1] * 7
    assert len(service.asked) == 7


@pytest.fixture
def no_thread():
    """No thread can be started, as when the machine has no memory left for one."""
    before = threading.stack_size(2**46)
    yield
    threading.stack_size(before)


def test_what_breaks_down_here_says_nothing_about_the_web_service(fulfilment, service, no_thread):
    origin = origin_of(service)
    for _failure in range(MANY - 1):
        Endpoint.failed(origin)
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert fulfilment.failure == "tool_broke_down"
    assert db.session.get_one(Endpoint, origin).failures == MANY - 1


def test_a_web_service_that_says_when_is_not_asked_before(fulfilment, service):
    service.answer = reply("", status=429, retry_after="7200")
    jobs.fulfil(fulfilment.id)
    assert fulfilment.due_at > clock.now() + timedelta(hours=1, minutes=59)
