"""An e-mail that was accepted and comes back: the report of a mail server, and whose it is.

A report (RFC 3464) holds the e-mail that came back, or its headers, and what came back is known by
its Message-ID: two e-mails to one address are two deliveries, and the newest is not the one meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import default

from flask_babel import gettext as _

from portal.extensions import db
from portal.models import Delivery
from portal.postman import without_licenses

ORIGINALS = ("message/rfc822", "text/rfc822-headers")


class NoBounce(Exception):
    """The mail says of no e-mail of ours that it came back; the message says why not."""


@dataclass(frozen=True)
class Report:
    """Which e-mail came back, and why, in the words of the server that has given up."""

    message_id: str
    answer: str | None


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
    delivery.come_back(answer=without_licenses(report.answer, lines))
    db.session.commit()
    return delivery


def read(mail: bytes) -> Report:
    """What a report says. Raises NoBounce for one that is none, or that tells of a delay."""
    message = message_from_bytes(mail, policy=default)
    states = [state for part in message.walk() for state in _states(part)]
    failed = [state for state in states if str(state.get("Action", "")).strip().lower() == "failed"]
    if not failed:
        raise NoBounce(_("The mail does not report that an e-mail came back."))
    message_id = next((found for part in message.walk() if (found := _original_id(part))), None)
    if message_id is None:
        raise NoBounce(_("The report does not say which e-mail came back."))
    answer = failed[0].get("Diagnostic-Code") or failed[0].get("Status")
    return Report(message_id, " ".join(str(answer).split())[:1000] if answer else None)


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
        original = message_from_bytes(headers if isinstance(headers, bytes) else b"")
    found = original.get("Message-ID") if isinstance(original, Message) else None
    return str(found).strip() if found else None
