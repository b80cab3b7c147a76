"""The webhook of Noventiq Checkout: one message for each product of an order (docs/webhooks.md).

Its documentation gives the fields and the signature, which covers some of the fields only. The
messages of one order come in any order and at the same time; each is a part of the order.
"""

import re
from collections.abc import Iterable
from hashlib import sha256, sha512
from hmac import compare_digest
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from portal.intake.complaints import DocumentError
from portal.intake.document import OrderDocument, refuse_fields_that_are_there_twice
from portal.intake.noventiq_fields import Part
from portal.models import OrderStatus

Message = dict[str, Any]

PAID, FAILED, RETURNED = "order.payment.succeeded", "order.payment.failed", "product.returned"
EVENTS = {"order.created", PAID, FAILED, RETURNED}

LARGEST = 64 * 1024  # bytes of a message about one product
_SIGNATURE = re.compile(r"[0-9a-f]{128}", re.ASCII)

# What is signed: of the message itself, of its payment and of its customer.
SIGNED = [
    (None, "event"),
    (None, "order_id"),
    (None, "create_date"),
    ("payment", "payment_method"),
    (None, "currency"),
    ("customer", "email"),
]
IDENTIFYING = [
    (None, "event"),
    (None, "order_id"),
    ("product", "id"),
    ("product", "vendor_code"),
    (None, "document_part"),
    (None, "event_date"),
]


def can_be_signature(text: str) -> bool:
    """Whether `text` looks like a signature: what comes with another one is not worth reading."""
    return _SIGNATURE.fullmatch(text) is not None


def message_in(body: bytes) -> Message | None:
    """The message in a body, which nobody has vouched for yet; None where there is none."""
    try:
        message = from_json(body)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def signature_of(message: Message, secret: str) -> str:
    """The signature as it is documented: lower-case hex SHA-512 of the secret and six fields."""
    return sha512(";".join([secret, *_texts(message, SIGNED)]).encode()).hexdigest()


def is_signed(message: Message, signature: str, secrets: Iterable[str]) -> bool:
    """Whether the signed fields of `message` were signed with one of `secrets`."""
    wanted = [signature_of(message, secret).encode() for secret in secrets]
    return [compare_digest(signature.encode(), one) for one in wanted].count(True) > 0


def message_id(message: Message) -> str:
    """What a message is known by, as it has no id: what it tells, of which product, and when."""
    texts = "\n".join(_texts(message, IDENTIFYING))
    return "sha256:" + sha256(texts.encode()).hexdigest()


def subject(message: Message) -> tuple[object, object]:
    """The event of a message, which may be anything, and the number of its order."""
    return message.get("event"), message.get("order_name")


def read(body: str, page: str) -> OrderDocument | None:
    """What a message to the checkout page `page` says, as a document of a part of the order.

    None of an event that Keydesk has no use for. Raises DocumentError.
    """
    event = from_json(body).get("event")
    if isinstance(event, str) and event not in EVENTS:
        return None
    try:
        part = Part.model_validate_json(body)
    except ValidationError as error:
        raise DocumentError.of(error, whole="body") from None
    refuse_fields_that_are_there_twice(body)
    document = OrderDocument.model_validate(_document(part, page))
    return document.told(part.event_date, parts=part.parts)


def _document(part: Part, page: str) -> dict[str, Any]:
    # Anybody may have written the other fields: the event is signed, and it alone says what counts.
    paid_at = (part.pay_date or part.event_date) if part.event == PAID else None
    return {
        "number": part.order_name,
        "external_id": part.external_id,
        "checkout_page": page,
        "status": OrderStatus.PAID if paid_at else OrderStatus.NOT_PAID,
        "created_at": part.create_date.isoformat(),
        "paid_at": paid_at and paid_at.isoformat(),
        "currency": part.currency,
        "total": part.product.amount,
        "locale": part.locale or "en",
        "payment_method": part.payment.payment_method,
        "customer": part.customer.document,
        "items": [_item(part)],
        "history": [_failure(part)] if part.event == FAILED else [],
    }


def _item(part: Part) -> dict[str, Any]:
    product, returned = part.product, part.event == RETURNED
    return {
        "id": product.code,
        "product": {"id": product.code, "sku": product.sku, "name": product.name},
        "quantity": product.quantity,
        "amount": product.amount,
        "refunded_at": part.event_date.isoformat() if returned else None,
    }


def _failure(part: Part) -> dict[str, str]:
    """Each part of the order tells of the same failure, which is one entry: it has one text."""
    return {"at": part.event_date.isoformat(), "text": "A payment failed"}


def _texts(message: Message, fields: list[tuple[str | None, str]]) -> list[str]:
    """The fields of `message` as texts; what is not there, or no text or number, is empty."""
    parts = [(message.get(part) if part else message, name) for part, name in fields]
    found = [part.get(name) if isinstance(part, dict) else None for part, name in parts]
    return [_text(field) for field in found]


def _text(field: object) -> str:
    if isinstance(field, int) and abs(field) < 10**18:  # Python writes no number of any length
        return str(field)
    return field if isinstance(field, str) else ""
