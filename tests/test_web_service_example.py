"""The example that vendors copy does what docs/web-service.md says, started as a vendor would."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.fulfilment.answer import Failure, Licenses
from portal.fulfilment.web_service import obtain, try_it
from portal.fulfilment.web_service.message import compose
from portal.shared_secret import new_secret
from tests.support.web_services import EXAMPLE, ask, request_for, settings_for


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


def send(url, head, body=b""):
    """What the example answers to a request as it stands."""
    port = int(url.rstrip("/").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.mark.parametrize("length", ["-1", "", "x", "1e3", "100000", "9" * 5000, "²"])
def test_a_body_whose_length_is_not_said_is_not_read(example, length):
    answer = send(example, ["POST / HTTP/1.1", f"Content-Length: {length}"], b"x" * 1000)
    assert answer.startswith("HTTP/1.0 413 ")


def signed(message, *changes, count="1"):
    """The lines of a message that was signed, with headers that were not."""
    headers = dict(message.headers) | {"keydesk-licenses": count}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return ["POST / HTTP/1.1", f"Content-Length: {len(message.body)}", *changes, *lines]


def test_a_header_that_is_not_signed_makes_no_test_of_a_request(example):
    message = compose(request_for(), settings_for(example))
    answer = send(example, signed(message, "Keydesk-Test: true"), message.body)
    assert "TEST-" not in answer
    assert '"licenses"' in answer


def test_no_more_licenses_are_given_than_the_signed_quantity(example):
    message = compose(request_for(2), settings_for(example))
    answer = send(example, signed(message, count="1000"), message.body)
    assert len(json.loads(answer.partition("\r\n\r\n")[2])["licenses"]) == 2


def test_the_id_that_counts_is_the_one_that_is_signed(example):
    message = compose(request_for(), settings_for(example))
    first = ask(example).texts
    answer = send(example, signed(message, "Webhook-Id: req_other"), message.body)
    assert json.loads(answer.partition("\r\n\r\n")[2])["licenses"] == first


def test_the_example_is_short_enough_to_be_read():
    assert len(EXAMPLE.read_text().splitlines()) < 60
