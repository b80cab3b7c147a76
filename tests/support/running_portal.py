"""`keydesk serve` as it runs for real, and its processes, which a test may kill one by one."""

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest

from portal.extensions import db


class RunningPortal:
    """`keydesk serve` on a free port, and a program of Rob's that asks it."""

    def __init__(self, keydesk, token, mail_port, *options, **settings):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._headers = {"Authorization": f"Bearer {token}"}
        self.process = keydesk.start(
            "serve",
            "--port",
            self.port,
            *options,
            stderr=None,
            FLASK_MAIL_PORT=str(mail_port),
            **settings,
        )
        self._wait()

    def _wait(self):
        while self.process.poll() is None:
            try:
                return self.get("/login")
            except OSError:
                time.sleep(0.05)  # or this would take the processor from what it waits for
        raise AssertionError("the portal ended by itself")

    def get(self, path):
        return self._ask("GET", path)

    def post(self, path, body=None, **headers):
        return self._ask("POST", path, body, headers)

    def _ask(self, method, path, body=None, headers=()):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, self._headers | dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    @property
    def worker(self):
        """The number of the process that does the jobs, or None while there is none."""
        return self._child("portal worker")

    @property
    def web(self):
        """The number of the process that has those under it which answer, or None."""
        return self._child("--no-worker")

    def processes(self):
        """The numbers of all its processes, its own first."""
        return [self.process.pid, *self._below(self.process.pid)]

    def _child(self, words):
        return next(iter(children_of(self.process.pid, words)), None)

    def _below(self, pid):
        for child, parent, _args in _running():
            if parent == pid:
                yield child
                yield from self._below(child)

    def end(self, number=signal.SIGTERM):
        """Signal it and wait for its end; SIGKILL goes to every process of it."""
        if self.process.poll() is None:
            for pid in self.processes() if number == signal.SIGKILL else [self.process.pid]:
                kill(pid, number)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.process.stdin.close()
        return code


def kill(pid, number=signal.SIGKILL):
    """Signal a process of ours, which may have ended by itself."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def children_of(pid, words):
    """The numbers of the processes right under `pid` whose commands have these `words`."""
    return [child for child, parent, args in _running() if parent == pid and words in args]


def is_running(pid):
    """Whether there is such a process that has not ended."""
    return any(pid == found for found, _parent, _args in _running())


def wait_until(condition, seconds=20):
    """Wait for `condition()` and return what it says."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.05)
    return found


def _running():
    """Number, parent's number and command of every process that has not ended."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="],
        check=True,
        capture_output=True,
        text=True,
    )
    for line in listed.stdout.splitlines():
        pid, parent, state, args = line.split(None, 3)
        if not state.startswith("Z"):
            yield int(pid), int(parent), args


@pytest.fixture
def start(keydesk, rob):
    """Start the portal for one block: `with start(mail_port) as portal`."""
    token = rob.renew_token()
    db.session.commit()

    @contextmanager
    def start(mail_port, *options, **settings):
        portal = RunningPortal(keydesk, token, mail_port, *options, **settings)
        try:
            yield portal
        finally:
            portal.end(signal.SIGKILL)

    return start
