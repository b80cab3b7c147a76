"""Five hundred paid orders, while processes are killed and the mail server fails: all arrives."""

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPException
from threading import Event
from time import monotonic, sleep

import pytest
from sqlalchemy.orm import joinedload, selectinload

from portal.database.reading import READS
from portal.extensions import db
from portal.models import (
    Delivery,
    DeliveryStatus,
    Fulfilment,
    FulfilmentState,
    HistoryEntry,
    Hook,
    License,
    Order,
    PageSecret,
    Pool,
    PoolLicense,
    Product,
    What,
)
from portal.models.product import Tool
from tests.people import item_document
from tests.pools import fill
from tests.support.faulty_mail_server import FlakyMailServer
from tests.support.running_portal import kill, wait_until
from tests.support.senders import message, signed, tell_over_http
from tests.support.web_services import stored_settings_for

ORDERS, SENDERS = 500, 8
# Who is killed, in which order is left to chance.
VICTIMS = ["worker"] * 5 + ["web"] * 2
# The retries of a minute, an hour and two days, in seconds that a test can wait for.
WAITS = "0.5 1 2"
TOOLS = {Tool.WEB_SERVICE: "1001", Tool.POOL: "2002"}
# What is said of each attempt to send an e-mail.
SENT = {What.EMAIL_SENT, What.EMAIL_RETRIES, What.EMAIL_LOST, What.EMAIL_NOT_SENT}


def set_up(page, service_url):
    """Two products, one for each tool, and a pool that has just enough."""
    products = Product.appear(page.id, {code: f"By {tool}" for tool, code in TOOLS.items()})
    pool = Pool(title="Keys")
    db.session.add(pool)
    fill(pool, *(f"POOL-{number:06}" for number in range(ORDERS // 2)))
    settings = {Tool.WEB_SERVICE: stored_settings_for(service_url), Tool.POOL: {"pool_id": pool.id}}
    for tool, code in TOOLS.items():
        products[code].tool, products[code].settings = tool, settings[tool]
    db.session.commit()


def pay(port, secret, number):
    """Tell the portal of a paid order, of one product or the other in turns; until it answers."""
    code = list(TOOLS.values())[number % 2]
    item = item_document(codes=(), product={"id": code, "name": "Sentinel"})
    customer = {"email": f"customer-{number}@example.com"}
    body = json.dumps(message(number=f"A{number:010}", items=[item], customer=customer))
    headers = signed(secret, body)
    for _try in range(60):
        with suppress(OSError, HTTPException, ValueError):  # its process was killed, or is busy
            status, _answer = tell_over_http(port, "/hooks/acme", body, headers)
            if status == 200:
                return
        sleep(0.5)
    raise AssertionError(f"the order {number} was not taken in")


def count_open():
    """How many items or e-mails are not over."""
    with db.engine.connect().execution_options(**{READS: True}) as connection:
        items = db.select(db.func.count()).where(Fulfilment.state != FulfilmentState.DONE)
        mails = db.select(db.func.count()).where(Delivery.status != DeliveryStatus.SENT)
        orders = connection.scalar(db.select(db.func.count()).select_from(Fulfilment))
        return ORDERS - orders + connection.scalar(items) + connection.scalar(mails)


@contextmanager
def chaos(portal):
    """Kill the processes of `portal` at random moments while the block runs, and to the end."""
    victims = random.sample(VICTIMS, len(VICTIMS))
    over = Event()

    def murder():
        for victim in victims:
            sleep(random.uniform(0.5, 4))
            pid = wait_until(lambda victim=victim: over.is_set() or getattr(portal, victim))
            if over.is_set() or not kill(pid):
                return
        assert portal.get("/login")[0] == 200

    thread = ThreadPoolExecutor(1)
    killing = thread.submit(murder)
    try:
        yield
        killing.result()
    finally:
        over.set()
        thread.shutdown()


@pytest.mark.settings(RETRY_WAITS=WAITS, MAIL_TIME_LIMIT=2)
def test_each_customer_gets_each_license_whatever_dies(acme, start, example):
    set_up(acme, example)
    secret = PageSecret.add(acme, Hook.WEBHOOK)
    db.session.commit()
    db.session.remove()
    with FlakyMailServer() as mails, start(mails.port, "--no-access-log") as portal:
        with chaos(portal), ThreadPoolExecutor(SENDERS) as senders:
            list(senders.map(lambda number: pay(portal.port, secret, number + 1), range(ORDERS)))
        deadline = monotonic() + 240
        while left := count_open():
            assert monotonic() < deadline, f"{left} are not over"
            sleep(0.2)
        assert portal.end() == 0
    check_items()
    check_mails(mails)
    check_history()


def check_items():
    """Every item is done, and no license was given twice."""
    orders = db.session.scalars(db.select(Order).options(selectinload(Order.items))).all()
    assert len(orders) == ORDERS
    assert all(order.is_delivered for order in orders)
    texts = Counter(license.text for license in db.session.scalars(db.select(License)))
    assert len(texts) == ORDERS
    assert set(texts.values()) == {1}
    taken = db.session.scalars(db.select(PoolLicense.item_id)).all()
    assert len(taken) == len(set(taken)) == ORDERS // 2
    assert None not in taken


def check_mails(mails):
    """Each customer got the license at least once, and always in the same mail."""
    arrived = {}
    for mail in mails.messages:
        arrived.setdefault(mail["To"], []).append(mail)
    assert len(mails.messages) > len(arrived) == ORDERS
    query = db.select(Delivery).options(selectinload(Delivery.licenses))
    deliveries = db.session.scalars(query).all()
    assert len(deliveries) == ORDERS
    for delivery in deliveries:
        (license,) = delivery.licenses
        assert {mail["Message-ID"] for mail in arrived[delivery.to]} == {delivery.message_id}
        assert all(license.text in mail.plain for mail in arrived[delivery.to])


def check_history():
    """The history tells of each attempt to obtain a license, and of each to send it."""
    told = Counter(db.session.execute(db.select(HistoryEntry.order_id, HistoryEntry.what)))
    query = db.select(Fulfilment).options(joinedload(Fulfilment.item))
    for fulfilment in db.session.scalars(query):
        order_id = fulfilment.item.order_id
        assert told[order_id, What.LICENSE_SAVED] == 1
        assert told[order_id, What.FULFILMENT_RETRIES] == fulfilment.attempts - 1
    for delivery in db.session.scalars(db.select(Delivery)):
        assert told[delivery.order_id, What.EMAIL_SENT] == 1
        assert sum(told[delivery.order_id, what] for what in SENT) == delivery.attempts
    assert any(what is What.EMAIL_LOST for _order, what in told)
