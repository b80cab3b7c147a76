"""The real server: how it starts, how it ends, and what it says of what it was doing."""

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, RemoteDisconnected
from time import monotonic

import pytest

from portal.extensions import db
from portal.models import Delivery
from tests.people import KIM
from tests.support.faulty_mail_server import FaultyMailServer


class RunningPortal:
    """`keydesk serve` on a free port, and a program of Rob's that asks it."""

    def __init__(self, keydesk, token, mail_port):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._headers = {"Authorization": f"Bearer {token}"}
        self.process = keydesk.start(
            "serve", "--port", self.port, stderr=None, FLASK_MAIL_PORT=str(mail_port)
        )
        self._wait()

    def _wait(self):
        while self.process.poll() is None:
            try:
                return self.get("/login")
            except OSError:
                continue
        raise AssertionError("the portal ended by itself")

    def get(self, path):
        return self._ask("GET", path)

    def post(self, path):
        return self._ask("POST", path)

    def _ask(self, method, path):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, headers=self._headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body.decode()

    def end(self, number=signal.SIGTERM):
        """Signal it, with all its processes where nothing else is left, and wait for its end."""
        if self.process.poll() is None:
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.process.stdin.close()
        return code


@pytest.fixture
def start(keydesk, rob):
    """Start the portal for one block: `with start(mail_port) as portal`."""
    token = rob.renew_token()
    db.session.commit()

    @contextmanager
    def start(mail_port):
        portal = RunningPortal(keydesk, token, mail_port)
        try:
            yield portal
        finally:
            if portal.process.poll() is None:
                portal.end(signal.SIGKILL)

    return start


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


def test_a_taken_port_is_said_in_a_line(keydesk, start, mailbox):
    with start(mailbox.port) as portal:
        run = keydesk.run("serve", "--port", portal.port)
    assert run.returncode == 1
    assert run.stderr == (
        f"Error: The port {portal.port} of 127.0.0.1 is taken; choose another with --port.\n"
    )
