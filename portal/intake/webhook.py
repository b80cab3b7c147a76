"""Our own webhook: an order document with what happened to the order (docs/webhooks.md).

It is signed as Standard Webhooks says, and the order document is that of the import file.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug.datastructures import Headers

from portal.intake.complaints import DocumentError
from portal.intake.document import OrderDocument, refuse_fields_that_are_there_twice
from portal.intake.values import Time
from portal.models import OrderStatus
from portal.models.received_message import ID_LENGTH

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"

# Which status an event speaks of, where it speaks of one.
STATUSES = {"order.paid": OrderStatus.PAID, "order.deleted": OrderStatus.DELETED}


class Message(BaseModel):
    """What a message says: what happened, when, and how the order was then."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)

    type: Literal["order.created", "order.paid", "order.deleted", "item.refunded"]
    timestamp: Time
    data: OrderDocument

    @model_validator(mode="after")
    def _holds_together(self) -> "Message":
        status = STATUSES.get(self.type)
        if status and self.data.status is not status:
            raise ValueError(f"status: must be “{status}” where the type is {self.type}")
        if self.type == "item.refunded" and not any(i.refunded_at for i in self.data.items):
            raise ValueError("items: none is refunded, although the type is item.refunded")
        return self


def is_signed(body: bytes, headers: Headers, secrets: Iterable[str]) -> bool:
    """Whether `body` was signed with one of `secrets`, within five minutes of now."""
    return [_is_signed_with(secret, body, headers) for secret in secrets].count(True) > 0


def message_id(headers: Headers) -> str:
    """What a signed message is known by: its id, or a digest of one that is too long or odd."""
    given = headers[ID]
    plain = given.isascii() and given.isprintable() and len(given) <= ID_LENGTH
    return given if plain else "sha256:" + sha256(given.encode()).hexdigest()


def subject(message: Any) -> tuple[object, object]:
    """The type of a message, which may be anything, and the number of its order."""
    data = message.get("data")
    return message.get("type"), data.get("number") if isinstance(data, dict) else None


def read(body: str, page: str) -> OrderDocument:
    """The order document in a message to the checkout page `page`. Raises DocumentError."""
    try:
        message = Message.model_validate_json(body)
    except ValidationError as error:
        raise DocumentError.of(error, whole="body", within="data") from None
    refuse_fields_that_are_there_twice(body)
    if message.data.checkout_page != page:
        raise DocumentError(f"checkout_page: must be {page}, whose secret signed the message")
    return message.data.told(message.timestamp)


def _is_signed_with(secret: str, body: bytes, headers: Headers) -> bool:
    given = {name: headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE)}
    try:
        Webhook(secret).verify(body, given, json_parse=False)
    except (WebhookVerificationError, ValueError):  # it leaves what cannot be decoded to others
        return False
    return True
