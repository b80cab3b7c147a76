"""The servers under measurement, each a process of its own on a free loopback port."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from bench.installation import Installation

START_SECONDS = 60


@contextmanager
def serving_portal(portal: Installation, mail_port: int) -> Iterator[int]:
    """Run `keydesk serve` for `portal`, mailing to `mail_port`; its own port."""
    port = _free_port()
    environment = portal.environment | {
        "FLASK_MAIL_PORT": str(mail_port),
        "FLASK_LOGIN_LIMIT_ADDRESS": "1000 per minute",
    }
    with _running(["portal", "serve", "--port", str(port), "--no-access-log"], environment, port):
        yield port


@contextmanager
def serving_floor(portal: Installation) -> Iterator[int]:
    """Run the bare page; its port."""
    port = _free_port()
    with _running(["bench.floor", str(port)], portal.environment, port):
        yield port


@contextmanager
def _running(module: list[str], environment: Mapping[str, str], port: int) -> Iterator[None]:
    server = subprocess.Popen(
        [sys.executable, "-m", *module], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        _wait_until_listening(server, port)
        yield
    finally:
        server.terminate()
        server.communicate()


def _wait_until_listening(server: "subprocess.Popen[str]", port: int) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and server.poll() is None:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    server.kill()
    raise RuntimeError(f"the server did not start: {server.communicate()[1]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
