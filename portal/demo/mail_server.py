"""The demo's mail server: a real SMTP server whose mails go into a Maildir instead of out."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

from flask import current_app

LOOPBACK = "127.0.0.1"
NEWEST = 100


@dataclass(frozen=True)
class CaughtMail:
    """One mail as its reader would see it."""

    subject: str
    to: str
    sender: str
    message_id: str
    text: str
    arrived_at: datetime


@contextmanager
def catching_mails(folder: Path) -> Iterator[int]:
    """Run the server on a free port of the loopback address, and yield the port."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Mailbox

    with socket.create_server((LOOPBACK, 0)) as probe:
        port: int = probe.getsockname()[1]
    server = Controller(Mailbox(folder), hostname=LOOPBACK, port=port)
    server.start()
    try:
        yield port
    finally:
        server.stop()


def maildir() -> Path:
    """Where the mails of the running demo are."""
    return Path(current_app.instance_path) / "mailbox"


def caught_mails() -> list[CaughtMail]:
    """The newest mails, newest first."""
    if not maildir().exists():
        return []
    files = [path for folder in ("new", "cur") for path in (maildir() / folder).iterdir()]
    files.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [_read(path) for path in files[:NEWEST]]


def _read(path: Path) -> CaughtMail:
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = mail.get_body(("plain", "html"))
    return CaughtMail(
        subject=mail["Subject"],
        to=mail["To"],
        sender=mail["From"],
        message_id=mail["Message-ID"] or "",
        text=body.get_content() if body else "",
        arrived_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
    )
