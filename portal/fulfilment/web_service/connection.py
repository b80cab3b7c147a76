"""One HTTP request and its answer, with an address that was checked and one limit for all of it."""

import queue
import socket
import ssl
import time
from collections.abc import Iterable
from functools import cache
from threading import Thread

import httpcore

from portal.fulfilment.web_service.addresses import is_public

PIECE = 16_384
MOST_TRIES = 4  # addresses of a name, so that each has its share of the time


class AddressForbidden(Exception):
    """The name leads to an address of the inner network, which is not allowed."""


class Deadline:
    """When all has to be over, whatever it is waiting for."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """How many seconds are left. Raises TimeoutException when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.TimeoutException
        return left


class Backend(httpcore.NetworkBackend):
    """Connects to the very addresses that it checked: a name cannot lead elsewhere in between."""

    def __init__(self, deadline: Deadline, *, inner_allowed: bool) -> None:
        self._deadline = deadline
        self._inner_allowed = inner_allowed

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Raises AddressForbidden if any of its addresses is: an honest name has no such."""
        addresses = _addresses(host, port, self._deadline)
        if not self._inner_allowed and not all(map(is_public, addresses)):
            raise AddressForbidden
        error: Exception = httpcore.ConnectError("no address")
        for tried, address in enumerate(addresses[:MOST_TRIES]):
            seconds = self._deadline.left() / (min(len(addresses), MOST_TRIES) - tried)
            try:
                stream = httpcore.SyncBackend().connect_tcp(address, port, seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
            else:
                return Stream(stream, self._deadline)
        raise error


class Stream(httpcore.NetworkStream):
    """A connection on which every step ends by the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE):
            self._stream.write(buffer[start : start + PIECE], self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            left = self._deadline.left()
        except httpcore.TimeoutException:
            self.close()  # nobody else would
            raise
        return Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def trusted() -> ssl.SSLContext:
    """Verifies certificates with those that this machine trusts."""
    return _trusted(ssl.get_default_verify_paths())


@cache  # reading some hundred certificates takes longer than most conversations
def _trusted(_where: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    return ssl.create_default_context()


def _addresses(host: str, port: int, deadline: Deadline) -> list[str]:
    """The numeric addresses of `host`; asking a name server knows no time limit of its own."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
        except OSError as error:
            answers.put(error)
        else:
            answers.put([str(address[0]) for *_rest, address in found])

    Thread(target=ask, name="name server", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise httpcore.ConnectTimeout from None
    if isinstance(answer, OSError):
        raise httpcore.ConnectError(str(answer)) from answer
    return answer
