"""An e-mail that was accepted and comes back: the report of a mail server, and whose it is.

A report (RFC 3464) holds the e-mail that came back, or its headers, and what came back is known by
its Message-ID: two e-mails to one address are two deliveries, and the newest is not the one meant.

Anybody can send a mail that looks like one. Of each mail no more is read than any report needs, so
that none keeps us busy: the parser of Python makes an object of each line where a stranger says so,
and takes more than twice as long for twice as long a header.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32

from flask_babel import gettext as _

from portal.extensions import db
from portal.models import Delivery
from portal.quoted_secrets import without_secrets

ORIGINALS = ("message/rfc822", "text/rfc822-headers")

# What is looked at of a mail: the report comes first, and the headers of what came back after it.
LONGEST, MOST_LINES, LONGEST_HEADER = 256 * 1024, 4_000, 2_000


class NoBounce(Exception):
    """The mail says of no e-mail of ours that it came back; the message says why not."""


@dataclass(frozen=True)
class Report:
    """Which e-mail came back, and why, in the words of the server that has given up."""

    message_id: str
    answer: str | None


class Plain(Compat32):
    """Headers as one line of text, cut where they are too long, and not understood any further."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """The name and the value of a header, as the parser found it."""
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_HEADER]

    def header_fetch_parse(self, name: str, value: str) -> str:
        """The value, without what cannot be printed."""
        text = value.encode("ascii", "surrogateescape").decode(errors="replace")
        return "".join(filter(str.isprintable, " ".join(text.split())))


def take(mail: bytes) -> Delivery:
    """Write down that the e-mail of which `mail` tells came back, and commit; its delivery. The
    same report again changes nothing. Raises NoBounce."""
    report = read(mail)
    query = db.select(Delivery).filter_by(message_id=report.message_id)
    delivery = db.session.scalars(query).one_or_none()
    if delivery is None:
        raise NoBounce(_("No e-mail with the Message-ID %(id)s was sent.", id=report.message_id))
    delivery.order.lock()
    texts = [license.text or "" for license in delivery.licenses]
    lines = [line for text in texts for line in text.split("\n")]
    delivery.come_back(answer=without_secrets(report.answer, lines))
    db.session.commit()
    return delivery


def read(mail: bytes) -> Report:
    """What a report says. Raises NoBounce for one that is none, that tells of a delay, or that
    cannot be read."""
    try:
        return _read(_parsed(mail))
    except NoBounce:
        raise
    except Exception as error:
        # What a stranger's mail does to the parser, such as a thousand parts in one another.
        why = type(error).__qualname__
        raise NoBounce(_("The mail cannot be read: %(why)s.", why=why)) from None


def _parsed(mail: bytes) -> Message:
    """The beginning of a mail, as far as it is looked at."""
    lines = mail[:LONGEST].split(b"\n", MOST_LINES)[:MOST_LINES]
    return BytesParser(policy=Plain()).parsebytes(b"\n".join(lines))


def _read(message: Message) -> Report:
    states = [state for part in message.walk() for state in _states(part)]
    failed = [state for state in states if state.get("Action", "").lower() == "failed"]
    if not failed:
        raise NoBounce(_("The mail does not report that an e-mail came back."))
    message_id = next((found for part in message.walk() if (found := _original_id(part))), None)
    if message_id is None:
        raise NoBounce(_("The report does not say which e-mail came back."))
    answer = failed[0].get("Diagnostic-Code") or failed[0].get("Status")
    return Report(message_id, answer[:1000] if answer else None)


def _states(part: Message) -> Iterator[Message]:
    """The blocks of a message/delivery-status, one for each recipient and one before them."""
    payload = part.get_payload()
    if part.get_content_type() == "message/delivery-status" and isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))


def _original_id(part: Message) -> str | None:
    """The Message-ID of the e-mail that came back, if this part holds it."""
    if part.get_content_type() not in ORIGINALS:
        return None
    payload = part.get_payload()
    if isinstance(payload, list):
        original = payload[0]
    else:
        headers = part.get_payload(decode=True)
        original = _parsed(headers if isinstance(headers, bytes) else b"")
    return original.get("Message-ID") if isinstance(original, Message) else None
