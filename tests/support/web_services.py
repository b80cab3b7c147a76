"""A vendor's web service that answers as it is told, well or badly, on a real connection."""

import json
import os
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from urllib.parse import parse_qsl

import pytest
import trustme

from portal.fulfilment.answer import LicenseRequest
from portal.fulfilment.web_service import Settings, obtain
from portal.models.tool_settings import stored_form
from tests.support.mail_servers import loopback_socket

SECRET = "whsec_" + "a2V5ZGVzayB0ZXN0cyBvbmx5OiBub3QgYSBzZWNyZXQ="

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "web_service.py"

PARAMETERS = {
    "Order": "A0005555555",
    "Item": "1",
    "ID": "1001",
    "Quantity": "1",
    "Order_sum": "29.95",
    "Currency": "EUR",
    "Zone": "DE",
}


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; `path` is with its query."""

    method: str
    path: str
    headers: dict
    body: bytes

    @property
    def signed(self):
        """What the signature is about."""
        return self.body.decode() if self.method == "POST" else self.path.partition("?")[2]

    @property
    def parameters(self):
        if self.method == "POST":
            return json.loads(self.body)
        return dict(parse_qsl(self.signed, keep_blank_values=True))


def reply(body=b"", status=200, content_type="text/plain", **headers):
    """Answers properly; `retry_after` is the header Retry-After."""
    content = body.encode() if isinstance(body, str) else body

    def deed(handler, _closing):
        handler.send_response(status)
        if content_type:
            handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return deed


def json_reply(document, **more):
    return reply(json.dumps(document), content_type="application/json", **more)


def raw(*pieces, every=0.0, last=True):
    """Sends bytes as they are, `every` so many seconds; hangs afterwards unless `last`."""

    def deed(handler, closing):
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            if every and closing.wait(every):
                return
        if not last:
            closing.wait()

    return deed


def drip(beginning, count=1000):
    """Sends `beginning`, and then a byte each 0.05 seconds."""
    return raw(beginning, *[b"x"] * count, every=0.05)


def silence(_handler, closing):
    closing.wait()


def reset(handler, _closing):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()


@dataclass
class WebService:
    """`asked` is what arrived; `answer` is what it does with each, or a list of what it does with
    one after the other, the last of them with all that follow."""

    url: str
    answer: object = field(default_factory=lambda: reply("AAAA-BBBB"))
    asked: list = field(default_factory=list)

    def next_answer(self):
        if isinstance(self.answer, list):
            return self.answer.pop(0) if len(self.answer) > 1 else self.answer[0]
        return self.answer


@contextmanager
def running(tls=None):
    """A `WebService` on a free loopback port, with the certificate of the context `tls`."""
    closing = Event()

    def secured(connection):
        return tls.wrap_socket(connection, server_side=True) if tls else nullcontext(connection)

    class Handler(BaseHTTPRequestHandler):
        def handle(self):
            with suppress(OSError):  # the other side is gone, as it should be
                super().handle()

        def finish(self):
            with suppress(OSError):
                super().finish()

        def do_GET(self):
            length = int(self.headers["content-length"] or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.asked.append(Asked(self.command, self.path, headers, self.rfile.read(length)))
            service.next_answer()(self, closing)

        do_POST = do_GET

        def log_message(self, *_args):
            pass

    class Server(ThreadingHTTPServer):
        def finish_request(self, request, client_address):
            with suppress(OSError), secured(request) as connection:
                super().finish_request(connection, client_address)

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False  # joined when the server closes
        scheme = "https" if tls else "http"
        service = WebService(f"{scheme}://127.0.0.1:{server.server_port}/licenses")
        thread = Thread(target=server.serve_forever, args=(0.02,), name="web service")
        thread.start()
        try:
            yield service
        finally:
            closing.set()
            server.shutdown()
            thread.join()


def request_for(quantity=1, *, id="req_1", parameters=None, is_test=False):
    return LicenseRequest(
        id,
        item_id=1,
        product_id=1,
        quantity=quantity,
        parameters=PARAMETERS | {"Quantity": str(quantity)} if parameters is None else parameters,
        is_test=is_test,
    )


def settings_for(url, **changes):
    """Settings for the web service at `url`, which may be in the inner network."""
    return Settings(**{"url": url, "secret": SECRET, "inner_host_allowed": True} | changes)


def stored_settings_for(url, **changes):
    """The same as they are kept with a product."""
    return stored_form(settings_for(url, **changes))


def ask(url, quantity=1, **changes):
    """What comes of asking the web service at `url` for licenses; `changes` are of its settings."""
    return obtain(request_for(quantity), settings_for(url, **changes))


@pytest.fixture
def service():
    """A vendor's web service without TLS, in the inner network."""
    with running() as service:
        yield service


@pytest.fixture(scope="session")
def authority():
    """Who signs the certificates of the tests."""
    return trustme.CA()


@pytest.fixture
def secure_service(authority):
    """A vendor's web service with a certificate for localhost, at 127.0.0.1."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    with running(tls) as service:
        service.url = service.url.replace("127.0.0.1", "localhost")
        yield service


@pytest.fixture
def trusting(authority, tmp_path, monkeypatch):
    """This machine trusts `authority`."""
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.fixture
def example(tmp_path):
    """The address of the example, which is running."""
    with loopback_socket() as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, EXAMPLE, str(port), tmp_path / "licenses.db"],
        env=os.environ | {"WEB_SERVICE_SECRET": SECRET},
        stderr=subprocess.DEVNULL,
    )
    with process:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}/"
        process.terminate()


def _wait_for(port, process, seconds=20):
    end = monotonic() + seconds
    while monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        sleep(0.02)
    raise AssertionError("the example did not start")
