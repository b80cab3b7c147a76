"""The example that vendors copy does what docs/web-service.md says, started as a vendor would."""

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from portal.fulfilment.answer import Failure, Licenses
from portal.fulfilment.web_service import new_secret, obtain, try_it
from tests.support.mail_servers import loopback_socket
from tests.support.web_services import SECRET, ask, request_for, settings_for

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "web_service.py"


@pytest.fixture
def example(tmp_path):
    """The address of the example, which is running."""
    with loopback_socket() as probe:
        port = probe.getsockname()[1]
    arguments = [EXAMPLE, "--port", str(port), "--database", tmp_path / "licenses.db"]
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ | {"WEB_SERVICE_SECRET": SECRET},
        stderr=subprocess.DEVNULL,
    )
    with process:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}/"
        process.terminate()


def wait_for(port, process, seconds=20):
    end = monotonic() + seconds
    while monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        sleep(0.02)
    raise AssertionError("the example did not start")


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_repeated_id_gets_the_same_licenses_and_another_id_others(example, method):
    settings = settings_for(example, method=method)
    first = obtain(request_for(3), settings)
    assert isinstance(first, Licenses)
    assert len(set(first.texts)) == 3
    assert obtain(request_for(3), settings) == first
    assert not set(obtain(request_for(3, id="req_2"), settings).texts) & set(first.texts)


def test_the_same_id_many_times_at_once_gets_the_same_licenses(example):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tuple(ask(example).texts), range(40)))
    assert len(set(answers)) == 1


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_wrong_secret_is_refused(example, method):
    trouble = ask(example, method=method, secret=new_secret())
    assert trouble.failure is Failure.SERVICE_REFUSED
    assert trouble.detail == "HTTP 401 Unauthorized"


def test_a_test_uses_up_nothing(example):
    conversation = try_it(settings_for(example), request_for(2))
    assert conversation.answer == Licenses(["TEST-1", "TEST-2"])


def test_the_example_is_short_enough_to_be_read():
    assert len(EXAMPLE.read_text().splitlines()) < 60
