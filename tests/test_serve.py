"""The real server: how it starts, how it ends, and what it says of what it was doing."""

import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import RemoteDisconnected
from time import monotonic

import pytest

from portal.cli.listening import listen
from portal.extensions import db
from portal.models import Delivery
from tests.people import KIM
from tests.support.faulty_mail_server import FaultyMailServer
from tests.support.running_portal import is_running, kill, wait_until


def test_who_connects_while_the_portal_starts_is_answered_without_delay():
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _address = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def read_order(portal):
    _status, order = portal.get("/api/v1/orders/A0005555555")
    return json.loads(order)


@pytest.fixture
def resends(license):
    address = f"/api/v1/orders/A0005555555/licenses/{license.id}/resends"
    db.session.commit()
    return address


def test_what_was_on_its_way_when_the_portal_was_killed_may_have_been_sent(start, resends):
    with FaultyMailServer("BODY", does="silence") as silent, ThreadPoolExecutor(1) as thread:
        with start(silent.port) as portal:
            sending = thread.submit(portal.post, resends)
            silent.wait_for(1)
            portal.end(signal.SIGKILL)
        with pytest.raises((RemoteDisconnected, ConnectionError)):
            sending.result()
        assert db.session.scalars(db.select(Delivery.status)).all() == ["sending"]
        db.session.rollback()

        with start(silent.port) as portal:
            # The process that was sending ends a moment after the one that was killed.
            deadline = time.monotonic() + 20
            while (order := read_order(portal))["deliveries"][0]["status"] == "sending":
                assert time.monotonic() < deadline
        with start(silent.port) as portal:
            order = read_order(portal)
    assert [delivery["status"] for delivery in order["deliveries"]] == ["unknown"]
    assert f"may have been sent to {KIM}" in order["history"][0]["text"]


def test_the_portal_ends_after_what_it_has_in_hand(start, resends, mailbox):
    with (
        FaultyMailServer("BODY", does="silence") as slow,
        ThreadPoolExecutor(1) as thread,
        start(slow.port) as portal,
    ):
        sending = thread.submit(portal.post, resends)
        slow.wait_for(1)
        portal.process.send_signal(signal.SIGTERM)
        status, delivery = sending.result()
        assert portal.end() == 0
    assert (status, json.loads(delivery)["status"]) == (201, "unknown")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("step", "deed"), [("BODY", "silence"), ("CONNECT", "drip")])
def test_a_silent_mail_server_keeps_nobody_waiting_longer_than_15_seconds(
    start, resends, step, deed
):
    with FaultyMailServer(step, does=deed) as silent, start(silent.port) as portal:
        begun = monotonic()
        status, delivery = portal.post(resends)
        assert monotonic() - begun < 15
    assert status == 201
    assert json.loads(delivery)["failure"] == "time_out"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_silent_mail_server_keeps_nobody_else_waiting(start, resends):
    options = ("--workers=1", "--threads=2", "--no-worker")
    with (
        FaultyMailServer("BODY", does="silence") as silent,
        ThreadPoolExecutor(3) as threads,
        start(silent.port, *options) as portal,
    ):
        sending = threads.submit(portal.post, resends)
        silent.wait_for(1)
        others = [threads.submit(portal.post, resends) for _another in range(2)]
        answers = [other.result() for other in others]
        assert portal.get("/login")[0] == 200
        assert not sending.done()
        assert json.loads(sending.result()[1])["status"] == "unknown"
    assert [status for status, _delivery in answers] == [201, 201]
    assert {json.loads(delivery)["status"] for _status, delivery in answers} == {"queued"}


def test_a_taken_port_is_said_in_a_line(keydesk, start, mailbox):
    with start(mailbox.port) as portal:
        run = keydesk.run("serve", "--port", portal.port)
    assert run.returncode == 1
    assert run.stderr == (
        f"Error: The port {portal.port} of 127.0.0.1 is taken; choose another with --port.\n"
    )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_link_that_chooses_a_password_is_not_in_the_log(start, mailbox):
    with start(mailbox.port, "--no-worker") as portal:
        portal.get("/password/reset/a-token?next=/orders")
        portal.get("/password/reset")
        portal.process.send_signal(signal.SIGTERM)
        written = portal.process.stdout.read().decode()
    assert '"GET /password/reset/…"' in written
    assert '"GET /password/reset"' in written
    assert "a-token" not in written


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_writes_lines_of_their_own_into_the_log(start, mailbox):
    with start(mailbox.port, "--no-worker") as portal:
        portal.get("/orders/%0aFAKE%1b[31m%22%20%C3%A9")
        portal.process.send_signal(signal.SIGTERM)
        written = portal.process.stdout.read().decode()
    assert '"GET /orders/%0AFAKE%1B%5B31m%22%20%C3%A9"' in written


def test_a_worker_that_is_killed_is_started_again(start, mailbox):
    with start(mailbox.port) as portal:
        first = wait_until(lambda: portal.worker)
        kill(first)  # which may take a moment
        wait_until(lambda: portal.worker not in (None, first))
        assert portal.end() == 0


def test_pages_whose_process_is_killed_are_back_and_turn_nobody_away(start, mailbox):
    with start(mailbox.port) as portal:
        first = portal.web
        kill(first)
        while portal.web in (None, first):
            assert portal.get("/login")[0] == 200
        assert portal.get("/login")[0] == 200


def test_without_a_worker_there_is_none(start, mailbox):
    with start(mailbox.port, "--no-worker") as portal:
        assert portal.worker is None
        assert portal.end() == 0


def test_nothing_is_left_running_when_the_portal_itself_is_killed(start, mailbox):
    with start(mailbox.port) as portal:
        wait_until(lambda: portal.worker)
        processes = portal.processes()
        assert len(processes) >= 4
        kill(portal.process.pid)
        for process in processes[1:]:
            wait_until(lambda process=process: not is_running(process))
