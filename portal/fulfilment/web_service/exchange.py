"""One request to the vendor's web service, and what came back."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpcore

from portal import clock
from portal.fulfilment.web_service.connection import Backend, Deadline, trusted
from portal.fulfilment.web_service.message import Message
from portal.fulfilment.web_service.settings import Settings

LARGEST = 64 * 1024
LOOKED_AT = 4 * 1024
LONGEST_WAIT = 24 * 3600

_CHARSET = re.compile(r';\s*charset="?(?P<name>[a-z0-9._-]+)"?\s*(;|$)')


@dataclass(frozen=True)
class Received:
    """An answer: `body` is as it travelled, and ends soon after `LARGEST` bytes."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def is_too_large(self) -> bool:
        return len(self.body) > LARGEST

    @property
    def beginning(self) -> str:
        """What a person can look at: the first 4 KiB, as text."""
        return self.body[:LOOKED_AT].decode(errors="replace")

    @property
    def content_type(self) -> str | None:
        """Such as 'text/plain', in small letters."""
        value = self.header("content-type")
        return value and value.partition(";")[0].rstrip()

    @property
    def charset(self) -> str | None:
        """How the text is encoded, in small letters, where that is said."""
        found = _CHARSET.search(self.header("content-type") or "")
        return found and found["name"]

    @property
    def is_compressed(self) -> bool:
        return self.header("content-encoding") not in {None, "", "identity"}

    @property
    def retry_after(self) -> int | None:
        """In how many seconds another try is wanted, a day at most (RFC 9110, 10.2.3)."""
        wanted = self.header("retry-after")
        if not wanted:
            return None
        if wanted.isascii() and wanted.isdigit():
            return min(int(wanted[:9]), LONGEST_WAIT)
        with suppress(ValueError, OverflowError):
            moment = parsedate_to_datetime(wanted)
            seconds = moment.replace(tzinfo=moment.tzinfo or UTC) - clock.now()
            return min(max(int(seconds.total_seconds()), 0), LONGEST_WAIT)
        return None

    def header(self, name: str) -> str | None:
        """The first value of the header with this name, in small letters."""
        values = [value for key, value in self.headers if key.lower() == name]
        return values[0].strip().lower() if values else None


def exchange(message: Message, settings: Settings) -> Received:
    """Send `message` and take the answer in, within the time that `settings` give.

    Redirects are not followed, and no variable of the environment leads to a proxy. Raises
    AddressForbidden and the errors of httpcore.
    """
    url = settings.url
    backend = Backend(Deadline(settings.time_out), inner_allowed=settings.inner_host_allowed)
    origin = httpcore.Origin(
        url.scheme.encode(), (url.host or "").strip("[]").encode(), url.port or 0
    )
    target = httpcore.URL(
        scheme=origin.scheme, host=origin.host, port=origin.port, target=message.target
    )
    headers = [("host", _host(settings)), *message.headers.items()]
    tls = trusted() if url.scheme == "https" else None
    with (
        httpcore.HTTPConnection(origin, ssl_context=tls, network_backend=backend) as connection,
        connection.stream(
            message.method.value, target, headers=headers, content=message.body or None
        ) as response,
    ):
        body = bytearray()
        for piece in response.iter_stream():
            body += piece
            if len(body) > LARGEST:
                break
        return Received(response.status, _as_text(response.headers), bytes(body))


def _host(settings: Settings) -> str:
    """As in the address: with brackets, and with the port unless it is the usual one."""
    return str(settings.url).split("/", 3)[2]


def _as_text(headers: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
