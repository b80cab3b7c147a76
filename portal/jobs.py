"""What the worker does: thin, each job calls a verb.

The truth is in the domain tables: a job that is lost is found again by the sweep, and one that
comes twice finds nothing due.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any

from flask import Flask, current_app
from huey import crontab

from portal import clock, lanes, postman
from portal.database.failures import UNAVAILABLE, first_line, is_unavailable
from portal.database.reading import begin_reading
from portal.extensions import db
from portal.fulfilment import desk, worklist
from portal.job_queue import JobQueue, open_queue
from portal.models import Delivery, DeliveryStatus, Notice, ReceivedMessage, outbox
from portal.pools import uploads
from portal.unexpected import write_down

log = logging.getLogger(__name__)

# The sweep queues so many at once, and none while as many are queued: a minute later is the next.
SWEEP = 1_000

# A resend does not wait behind all that is to be asked for, and nothing holds up the sweep.
PRIORITIES = {"fulfil": 0, "send": 1, "notify": 1, "sweep": 2}

# What lanes.py calls the mail server.
MAIL_SERVER = "mail"


class Jobs:
    """The queue of one application. To put something into it never fails: what cannot be queued
    now, because the disk is full, is found by the sweep."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._tasks: dict[str, Any] = {}

    @cached_property
    def huey(self) -> JobQueue:
        """The queue itself. It comes into being with its first use, because it brings tables and
        connections of its own along."""
        huey = open_queue(
            self._app.config["SQLALCHEMY_DATABASE_URI"], self._app.config["SECRET_KEY"]
        )
        for job in (fulfil, send, notify):
            name, priority = job.__name__, PRIORITIES[job.__name__]
            self._tasks[name] = huey.task(name=name, priority=priority)(self._inside(job))
        huey.periodic_task(crontab(), name="sweep", priority=PRIORITIES["sweep"])(
            self._inside(sweep)
        )
        huey.periodic_task(crontab(), name="tend_pools")(self._inside(tend_pools))
        huey.periodic_task(crontab(), name="forget")(self._inside(forget_messages))
        return huey

    def fulfil(self, fulfilment_id: int, at: datetime | None = None) -> None:
        """Let a worker obtain the licenses of an item, now or `at` a time."""
        self._queue("fulfil", fulfilment_id, at)

    def fulfil_order(self, order_id: int) -> None:
        """Let a worker obtain what an order waits for, soon."""
        begin_reading(db.session())
        due = worklist.due_of(order_id)
        db.session.rollback()
        for fulfilment_id in due:
            self.fulfil(fulfilment_id)

    def send(self, delivery_id: int, at: datetime | None = None) -> None:
        """Let a worker send a queued delivery, now or `at` a time."""
        self._queue("send", delivery_id, at)

    def notify(self, notice_id: int, at: datetime | None = None) -> None:
        """Let a worker tell the vendor something, now or `at` a time."""
        self._queue("notify", notice_id, at)

    def follow(self, delivery: Delivery) -> None:
        """Let a worker go on with a delivery that is to be sent or tried again, if it is."""
        if delivery.status is DeliveryStatus.QUEUED:
            self.send(delivery.id, at=delivery.due_at)

    def _queue(self, name: str, thing_id: int, at: datetime | None) -> None:
        try:
            task = self.huey and self._tasks[name]
            task.schedule((thing_id,), eta=at) if at and at > clock.now() else task(thing_id)
        except Exception as error:
            write_down(log, "A job could not be queued; the next sweep will", error)

    def close(self) -> None:
        """End the connections of the queue."""
        if "huey" in self.__dict__:
            self.huey.storage.close()

    def _inside(self, job: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: Any) -> None:
            with self._app.app_context():
                try:
                    job(*arguments)
                except UNAVAILABLE as error:
                    if not is_unavailable(error):
                        raise
                    log.error(
                        "The database failed during %s, and the sweep goes on with it: %s",
                        job.__name__,
                        first_line(error),
                    )

        return run


def init_app(app: Flask) -> None:
    app.extensions["jobs"] = Jobs(app)


def jobs() -> Jobs:
    """The queue of the running application."""
    found: Jobs = current_app.extensions["jobs"]
    return found


def fulfil(fulfilment_id: int) -> None:
    """Obtain the licenses of one item, and mail them."""
    done = desk.fulfil(fulfilment_id)
    if done.delivery_id:
        send(done.delivery_id)
    if done.notice_id:
        notify(done.notice_id)
    if done.due_at:
        jobs().fulfil(fulfilment_id, at=done.due_at)


def send(delivery_id: int) -> None:
    """Send one queued delivery, unless the mail server keeps enough threads busy."""
    with lanes.enter(MAIL_SERVER, may_wait=True) as full_until:
        due_at = full_until or postman.send_queued(delivery_id)
    if full_until:
        outbox.let_wait(delivery_id, full_until)
    if due_at:
        jobs().send(delivery_id, at=due_at)


def notify(notice_id: int) -> None:
    """Tell the vendor something, unless the mail server keeps enough threads busy."""
    with lanes.enter(MAIL_SERVER, may_wait=True) as full_until:
        due_at = full_until or postman.send_notice(notice_id)
    if full_until:
        Notice.let_wait(notice_id, full_until)
    if due_at:
        jobs().notify(notice_id, at=due_at)


def sweep() -> None:
    """Queue everything that is due: what is to be tried again, and what a crash, a lost job or a
    full disk left behind."""
    again = [(delivery.id, delivery.due_at) for delivery in outbox.settle_lost()]
    db.session.rollback()
    for delivery_id, due_at in again:
        if due_at:
            jobs().send(delivery_id, at=due_at)
    worklist.release_lost()
    if jobs().huey.pending_count() >= SWEEP:
        return
    begin_reading(db.session())  # and queue nothing before it ends: others are to write meanwhile
    items, deliveries = worklist.due(SWEEP), outbox.due(SWEEP)
    notices = Notice.due(SWEEP)
    db.session.rollback()
    for fulfilment_id in items:
        jobs().fulfil(fulfilment_id)
    for delivery_id in deliveries:
        jobs().send(delivery_id)
    for notice_id in notices:
        jobs().notify(notice_id)


def tend_pools() -> None:
    """Serve who was forgotten by a process that died while it filled a pool, and the like."""
    for fulfilment_id in uploads.tend():
        jobs().fulfil(fulfilment_id)


def forget_messages() -> None:
    """Forget the messages that came more than thirty days ago."""
    ReceivedMessage.forget_old()
    db.session.commit()
