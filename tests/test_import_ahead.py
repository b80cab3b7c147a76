"""Another process reads ahead of a large import: nothing but its speed may show."""

import itertools
import json
import os
import signal
from multiprocessing import active_children
from threading import Thread

import pytest

from portal.extensions import db
from portal.intake.ahead import FEW
from portal.intake.jsonl import Import
from portal.intake.lines import BATCH
from portal.models import Order
from tests.people import item_document, order_document
from tests.support.running_portal import children_of, is_running, wait_until

MOST = 200_000  # lines that are written before the other process must have started
CODES = ["00-7%\t<&>é", "second  one"]


@pytest.fixture
def run(acme):
    return Import()


def line(number, **changes):
    items = [item_document("1", codes=CODES), item_document("2", codes=())]
    return json.dumps(order_document(f"A{number}", items=items, **changes)).encode()


def until_read_ahead(run, more):
    """Lines of new orders until another process has read some of them, and then so many `more`."""
    for number in range(1, MOST):
        if run.read_ahead:
            break
        yield line(number)
    yield from map(line, range(number, number + more))


def test_what_was_read_ahead_is_what_would_have_been_read_here(run):
    numbers = itertools.count(1)

    def lines():
        for one in until_read_ahead(run, 3000):
            next(numbers)
            yield one
        yield from [b"no order", b"", line(1, locale="de"), line(2), line(1, locale="fr")]

    complaints = list(run.run(lines()))

    orders = next(numbers) - 1
    assert run.read_ahead > 2000
    assert [number for number, _complaint in complaints] == [orders + 1]
    assert run.counts == {"imported": orders, "updated": 2, "unchanged": 1, "rejected": 1}
    assert active_children() == []
    order = db.session.get(Order, orders)
    assert [license.text for license in order.items[0].licenses] == CODES
    assert [item.fulfilled_at is None for item in order.items] == [False, True]

    here = Import()
    assert list(here.run(map(line, range(2, orders + 1)))) == []
    assert here.counts == {"unchanged": orders - 1}
    assert here.read_ahead == 0


def test_no_other_process_is_started_where_it_would_bring_nothing(run):
    def few_lines():
        yield from map(line, range(1, FEW * BATCH + 1))
        assert active_children() == []

    list(run.run(few_lines()))
    again = Import()
    list(again.run(itertools.chain(few_lines(), few_lines())))
    assert again.counts == {"unchanged": 2 * FEW * BATCH}


def test_an_import_goes_on_alone_where_the_other_process_ends(run):
    written = 0

    def lines():
        nonlocal written
        for one in until_read_ahead(run, 0):
            written += 1
            yield one
        (other,) = active_children()
        other.kill()
        for one in map(line, range(written + 1, written + 3001)):
            written += 1
            yield one

    assert list(run.run(lines())) == []
    assert run.counts == {"imported": written}


def test_the_other_process_ends_with_an_import_that_is_killed(keydesk, acme):
    db.session.commit()
    underway = keydesk.start("orders", "import", "-")
    feeder = Thread(target=feed_without_end, args=[underway.stdin])
    feeder.start()
    try:
        found = wait_until(lambda: children_of(underway.pid, "spawn_main"))
    finally:
        os.kill(underway.pid, signal.SIGKILL)
        feeder.join()
        underway.communicate()
    wait_until(lambda: not any(map(is_running, found)))


def feed_without_end(stdin):
    try:
        for number in itertools.count(1):
            stdin.write(line(number) + b"\n")
    except BrokenPipeError:
        return
