"""Whatever a web service does and wherever its name leads: the conversation ends, and well."""

import gzip
import socket
from threading import Event
from time import monotonic

import pytest

from portal.fulfilment.answer import Failure, Licenses
from portal.fulfilment.web_service.addresses import is_public
from tests.support.mail_servers import loopback_socket
from tests.support.web_services import drip, raw, reply, reset, silence
from tests.test_web_service import ask

BROKEN_OFF = "the connection ended before the answer did"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.fixture
def names(monkeypatch):
    """What the name server of the test says, by name: addresses, or an Event that it waits for.

    The real one is not to be had here; all behind it is.
    """
    book = {}
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        known = book.get(host.decode() if isinstance(host, bytes) else host, [host])
        if isinstance(known, Event):
            known.wait()
            known = ["127.0.0.1"]
        return [found for name in known for found in real(name, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return book


@pytest.mark.parametrize(
    "deed",
    [
        silence,
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        drip(HEAD + b"Content-Length: 1000\r\n\r\n"),
        drip(HEAD + b"\r\n"),
        raw(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 1000, every=0.01),
        raw(HEAD + b"Content-Length: 9\r\n\r\nAAAA", last=False),
    ],
    ids=["silence", "header", "body", "endless", "continue", "half"],
)
def test_the_whole_conversation_ends_in_time(service, deed):
    service.answer = deed
    began = monotonic()
    trouble = ask(service.url, time_out=1)
    assert 0.9 < monotonic() - began < 8
    assert (trouble.failure, trouble.is_temporary) == (Failure.SERVICE_TIME_OUT, True)
    assert trouble.detail == "no complete answer within 1 seconds"
    assert trouble.is_outage


def test_a_name_server_that_is_silent_takes_no_longer(service, names):
    names["vendor.example"] = Event()
    began = monotonic()
    trouble = ask("http://vendor.example/", time_out=1)
    names["vendor.example"].set()
    assert monotonic() - began < 8
    assert trouble.failure is Failure.SERVICE_TIME_OUT


def test_a_handshake_that_stops_takes_no_longer(trusting):
    with loopback_socket() as listener:
        listener.listen()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        began = monotonic()
        trouble = ask(url, time_out=1)
        assert monotonic() - began < 8
    assert trouble.failure is Failure.SERVICE_TIME_OUT


@pytest.mark.parametrize(
    ("deed", "detail"),
    [
        (reset, "Connection reset by peer"),
        (raw(), BROKEN_OFF),
        (raw(b"AAAA\r\n\r\n"), BROKEN_OFF),
        (raw(b"HTTP/1.1 2"), BROKEN_OFF),
        (
            raw(HEAD + b"Content-Length: 9\r\n\r\nAAAA"),
            "the connection ended before the answer did",
        ),
        (raw(HEAD + b"X: " + b"A" * 200_000 + b"\r\n\r\n"), BROKEN_OFF),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nAAAA"), BROKEN_OFF),
    ],
    ids=["reset", "hung up", "no HTTP", "half a line", "half a body", "large head", "chunks"],
)
def test_a_connection_that_breaks_is_tried_again(service, deed, detail):
    service.answer = deed
    trouble = ask(service.url)
    assert (trouble.failure, trouble.is_temporary) == (Failure.SERVICE_UNREACHABLE, True)
    assert trouble.detail == detail
    assert "AAAA" not in trouble.detail


def test_a_port_at_which_nobody_listens_is_tried_again():
    with loopback_socket() as nobody:
        trouble = ask(f"http://127.0.0.1:{nobody.getsockname()[1]}/")
    assert (trouble.failure, trouble.is_temporary) == (Failure.SERVICE_UNREACHABLE, True)
    assert trouble.detail == "Connection refused"
    assert trouble.is_outage


@pytest.mark.parametrize("name", ["nobody.invalid", "a" * 64 + ".invalid"])
def test_a_name_that_leads_nowhere_is_tried_again(name):
    trouble = ask(f"https://{name}/", inner_host_allowed=False)
    assert (trouble.failure, trouble.is_temporary) == (Failure.SERVICE_UNREACHABLE, True)
    assert trouble.detail


@pytest.mark.parametrize(
    "deed",
    [
        raw(HEAD + b"\r\n", *[b"A" * 4096] * 100_000),
        raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\nA\r\n" * 1000] * 1000),
    ],
    ids=["large", "in crumbs"],
)
def test_an_endless_answer_is_read_to_64_kib(service, deed):
    service.answer = deed
    trouble = ask(service.url)
    assert "larger than 64 KiB" in trouble.detail


def test_an_answer_is_not_inflated(service):
    bomb = gzip.compress(b"A" * 50_000_000)
    assert len(bomb) < 64 * 1024
    service.answer = reply(bomb, content_encoding="gzip")
    trouble = ask(service.url)
    assert trouble.failure is Failure.ANSWER_UNUSABLE
    assert "compressed" in trouble.detail
    assert service.asked[0].headers["accept-encoding"] == "identity"


def test_a_certificate_that_we_trust_is_accepted(secure_service, trusting):
    secure_service.answer = reply("AAAA")
    assert ask(secure_service.url) == Licenses(["AAAA"])
    assert secure_service.asked[0].headers["host"] == secure_service.url.split("/")[2]


def test_a_certificate_that_nobody_vouches_for_is_refused(secure_service):
    trouble = ask(secure_service.url)
    assert (trouble.failure, trouble.is_temporary) == (Failure.SERVICE_UNREACHABLE, True)
    assert "certificate is not good" in trouble.detail
    assert secure_service.asked == []


def test_a_certificate_for_another_name_is_refused(secure_service, trusting):
    trouble = ask(secure_service.url.replace("localhost", "127.0.0.1"))
    assert "certificate is not good" in trouble.detail
    assert secure_service.asked == []


def test_a_server_without_encryption_is_not_taken_for_one_with(service):
    trouble = ask(service.url.replace("http:", "https:"))
    assert trouble.failure is Failure.SERVICE_UNREACHABLE
    assert "no encrypted connection" in trouble.detail


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "0"]
)
def test_the_inner_network_is_not_asked(secure_service, trusting, host):
    url = secure_service.url.replace("localhost", host)
    trouble = ask(url, inner_host_allowed=False)
    assert (trouble.failure, trouble.is_temporary) == (Failure.ADDRESS_FORBIDDEN, False)
    assert secure_service.asked == []


def test_a_name_with_one_inner_address_is_not_asked_at_any(secure_service, names):
    names["vendor.example"] = ["192.0.2.1", "8.8.8.8", "127.0.0.1"]
    url = secure_service.url.replace("localhost", "vendor.example")
    trouble = ask(url, inner_host_allowed=False, time_out=1)
    assert trouble.failure is Failure.ADDRESS_FORBIDDEN


def test_the_next_address_is_tried_when_one_is_dead(service, names):
    names["vendor.example"] = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
    url = service.url.replace("127.0.0.1", "vendor.example")
    assert ask(url) == Licenses(["AAAA-BBBB"])
    assert service.asked[0].headers["host"] == url.split("/")[2]


def test_a_numeric_ipv6_address_is_named_as_in_the_url(service, names):
    names["::1"] = ["127.0.0.1"]
    url = service.url.replace("127.0.0.1", "[::1]")
    assert ask(url) == Licenses(["AAAA-BBBB"])
    assert service.asked[0].headers["host"] == url.split("/")[2]


def test_the_environment_leads_to_no_proxy(service, monkeypatch):
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"]:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(service.url) == Licenses(["AAAA-BBBB"])


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",  # carrier-grade NAT
        "127.0.0.1",
        "168.63.129.16",  # a cloud's own
        "169.254.169.254",
        "172.31.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "100::1",
        "2001::1",  # Teredo
        "2001:db8::1",
        "2002:7f00:1::",  # 6to4
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fe80::1%lo",
        "fec0::1",
        "ff0e::1",
    ],
)
def test_an_address_leads_in(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "193.0.6.139", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:67c:2e8:22::c100:68b"],
)
def test_an_address_leads_out(address):
    assert is_public(address)
