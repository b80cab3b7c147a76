"""The real worker: prompt, gentle when it ends, and not to be held up by one bad item."""

import signal
from contextlib import ExitStack
from threading import Event
from uuid import uuid4

import pytest

from portal import clock
from portal.extensions import db
from portal.jobs import jobs
from portal.models import Delivery, DeliveryStatus, Fulfilment, FulfilmentState, ProductText
from portal.models.product import Tool
from tests.people import bring_in, item_document, order_document
from tests.support.faulty_mail_server import FaultyMailServer
from tests.support.running_portal import wait_until
from tests.support.web_services import reply, running, silence, stored_settings_for


@pytest.fixture
def start(keydesk):
    """Start one more `keydesk worker`."""
    with ExitStack() as workers:

        def start(*options, **changes):
            worker = workers.enter_context(keydesk.start("worker", *options, **changes))
            workers.callback(worker.kill)
            return worker

        yield start


def begin(*numbers, tool=Tool.INFORMATION, settings=None, product=None):
    """Paid orders whose items are to be fulfilled by now, with their jobs; all by one `tool` are of
    one product unless it is named."""
    begun = []
    for number in numbers:
        item = item_document(codes=(), product={"id": product or tool, "name": f"By {tool}"})
        (fulfilment,) = Fulfilment.begin(bring_in(order_document(number, items=[item])))
        fulfilment.product.tool = tool
        if settings:
            fulfilment.product.settings = settings
        if not ProductText.of(fulfilment.product, "en"):
            ProductText.write(fulfilment.product, "en", subject="", body="Thank you.", by=None)
        begun.append(fulfilment)
    db.session.commit()
    ids = [fulfilment.id for fulfilment in begun]
    db.session.rollback()  # SQLite has one writer at a time, which is the worker from now on
    for fulfilment_id in ids:
        jobs().fulfil(fulfilment_id)
    return ids


def seen(model, id):
    """A row as it is now, without keeping anybody from changing it."""
    row = db.session.get_one(model, id)
    db.session.expunge(row)
    db.session.rollback()
    return row


def is_over():
    """Whether every item is done and every e-mail has its outcome."""
    left = db.session.scalars(db.select(Fulfilment.id).where(Fulfilment.state != "done")).all()
    left += db.session.scalars(db.select(Delivery.id).where(Delivery.status != "sent")).all()
    db.session.rollback()
    return not left


def test_a_worker_that_is_idle_is_woken_by_a_paid_order(acme, start, mailbox):
    start("--threads", "4")
    begin("A0001111111")
    mailbox.wait_for(1)  # it is awake
    for number in range(2, 5):
        begin(f"A000111111{number}")
        mailbox.wait_for(number)


def test_what_was_queued_by_nobody_is_found_when_a_worker_starts(acme, start, mailbox):
    begin("A0001111111")
    jobs().huey.flush()
    start()
    mailbox.wait_for(1)


def test_an_item_that_breaks_down_holds_up_nobody(acme, start, mailbox):
    (bad,) = begin("A0001111111", tool=Tool.POOL)
    product = db.session.get_one(Fulfilment, bad).product
    product.settings = {"pool_id": 2**70}  # no database knows such a number
    db.session.commit()
    good = begin("A0002222222", "A0003333333")
    start(FLASK_WORKER_THREADS="1")
    mailbox.wait_for(2)
    assert [seen(Fulfilment, each).state for each in good] == [FulfilmentState.DONE] * 2
    broken = seen(Fulfilment, bad)
    assert (broken.state, broken.failure) == (FulfilmentState.RETRYING, "tool_broke_down")
    assert broken.due_at > clock.now()


def test_a_web_service_that_is_slow_holds_up_nobody_else(acme, start, service, mailbox):
    let_go = Event()

    def slow(handler, closing):
        wait_until(lambda: let_go.is_set() or closing.is_set(), seconds=120)
        reply(f"CODE-{uuid4()}")(handler, closing)

    service.answer = slow
    stored = stored_settings_for(service.url, time_out=60)
    start(FLASK_WORKER_THREADS="4")
    numbers = [f"A00011111{number}" for number in range(10, 22)]
    waiting = begin(*numbers, tool=Tool.WEB_SERVICE, settings=stored)
    wait_until(lambda: len(service.asked) == 2)
    begin("A0002222222", "A0003333333")
    mailbox.wait_for(2)
    assert len(service.asked) == 2

    let_go.set()
    wait_until(is_over, seconds=60)
    assert {seen(Fulfilment, each).attempts for each in waiting} == {1}
    assert len(service.asked) == len(numbers)


def test_several_web_services_that_are_slow_hold_up_nobody_else(acme, start, service, mailbox):
    with ExitStack() as stack:
        slow = [stack.enter_context(running()) for _vendor in range(3)]
        start(FLASK_WORKER_THREADS="4")
        for vendor, web_service in enumerate(slow):
            web_service.answer = silence
            begin(
                *(f"A000{vendor}1111{number}" for number in range(10, 14)),
                tool=Tool.WEB_SERVICE,
                settings=stored_settings_for(web_service.url, time_out=60),
                product=f"of vendor {vendor}",
            )
        wait_until(lambda: all(web_service.asked for web_service in slow))
        begin("A0002222222", "A0003333333")
        stored = stored_settings_for(service.url)
        (quick,) = begin("A0004444444", tool=Tool.WEB_SERVICE, settings=stored)
        mailbox.wait_for(3)
        assert seen(Fulfilment, quick).state is FulfilmentState.DONE


def test_a_mail_server_that_is_slow_holds_up_no_web_service(acme, start, service):
    with FaultyMailServer("BODY", does="silence") as slow:
        start(FLASK_MAIL_PORT=str(slow.port), FLASK_MAIL_TIME_LIMIT="12")
        begin(*(f"A00011111{number}" for number in range(10, 22)))
        slow.wait_for(2)
        stored = stored_settings_for(service.url)
        (asking,) = begin("A0002222222", tool=Tool.WEB_SERVICE, settings=stored)
        wait_until(lambda: seen(Fulfilment, asking).state is FulfilmentState.DONE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_ends_after_what_it_has_in_hand(acme, start, number):
    with FaultyMailServer("BODY", does="silence") as slow:
        worker = start(FLASK_MAIL_PORT=str(slow.port), FLASK_MAIL_TIME_LIMIT="2")
        begin("A0001111111")
        slow.wait_for(1)
        worker.send_signal(number)
        assert worker.wait(20) == 0
    delivery = db.session.scalars(db.select(Delivery)).one()
    assert (delivery.status, delivery.failure) == (DeliveryStatus.QUEUED, "time_out")


def test_several_workers_share_the_work_and_do_it_once(acme, start, mailbox):
    begin(*(f"A00011111{number}" for number in range(10, 30)))
    for _worker in range(3):
        start()
    mailbox.wait_for(20, seconds=30)
    wait_until(is_over)
    assert len(mailbox.messages) == 20
    assert len({message["Message-ID"] for message in mailbox.messages}) == 20


def test_a_worker_says_nothing_while_all_is_well(acme, start, mailbox):
    worker = start()
    begin("A0001111111")
    mailbox.wait_for(1)
    worker.send_signal(signal.SIGTERM)
    said, complained = worker.communicate(timeout=20)
    assert (said, complained) == (b"", b"")
