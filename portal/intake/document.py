"""The order document: one order as it enters the portal (docs/order.schema.json)."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from portal.models import OrderStatus

# Control characters have no place in names or addresses: they end lines, of e-mails for instance.
CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


def _plain(text: str) -> str:
    if CONTROL.search(text):
        raise ValueError("has a line break or another control character")
    return text


def _address(text: str) -> str:
    try:
        validate_email(_plain(text), check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(f"is not an e-mail address: {error}") from None
    return text


def _sensible_time(moment: datetime) -> datetime:
    if not 1970 < moment.year < 9999:
        raise ValueError("is not within the years 1971 to 9998")
    return moment


def _license_text(text: str) -> str:
    """Byte-exact, but for the blanks at both ends."""
    trimmed = text.strip()
    if not trimmed:
        raise ValueError("is blank")
    if "\x00" in trimmed:
        raise ValueError("has a NUL character")
    return trimmed


Time = Annotated[AwareDatetime, AfterValidator(_sensible_time)]
Email = Annotated[str, Field(max_length=254), AfterValidator(_address)]
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,12}\.[0-9]{2}$")]


Text40 = Annotated[str, Field(max_length=40), AfterValidator(_plain)]
Text64 = Annotated[str, Field(max_length=64), AfterValidator(_plain)]
Text100 = Annotated[str, Field(max_length=100), AfterValidator(_plain)]
Text200 = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
Name64 = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_plain)]
Name255 = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class LicenseDocument(_Part):
    text: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_license_text)]
    received_at: Time | None = None


class ProductDocument(_Part):
    id: Name64
    sku: Text64 | None = None
    name: Name255


class ItemDocument(_Part):
    id: Name64
    product: ProductDocument
    quantity: Annotated[int, Field(ge=1, le=100_000)]
    amount: Amount
    refunded_at: Time | None = None
    licenses: list[LicenseDocument] = []


class CustomerDocument(_Part):
    email: Email | None
    first_name: Text100 | None = None
    last_name: Text100 | None = None
    phone: Text40 | None = None
    company: Text200 | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    type: Literal["physical", "legal"] = "physical"


class EntryDocument(_Part):
    at: Time
    text: Annotated[str, Field(min_length=1, max_length=1000)]


class OrderDocument(_Part):
    number: Annotated[str, Field(pattern=r"^[A-Z]{0,3}[0-9]{1,12}$")]
    external_id: Text64 | None = None
    checkout_page: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    status: OrderStatus
    created_at: Time
    paid_at: Time | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    total: Amount
    locale: Annotated[str, Field(max_length=16), AfterValidator(_plain)] = "en"
    payment_method: Text64 | None = None
    customer: CustomerDocument
    items: Annotated[list[ItemDocument], Field(min_length=1, max_length=500)]
    history: list[EntryDocument] = []

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.status is OrderStatus.PAID and self.paid_at is None:
            raise ValueError("paid_at: is required when the status is paid")
        refs = [item.id for item in self.items]
        if len(set(refs)) < len(refs):
            raise ValueError("items: two of them have the same id")
        return self


def money(amount: str) -> Decimal:
    """An amount of a document; it always has two decimals."""
    return Decimal(amount)


def read_document(line: bytes | str) -> OrderDocument:
    """The order document in a JSON text. Raises DocumentError."""
    try:
        return OrderDocument.model_validate_json(line)
    except ValidationError as error:
        raise DocumentError(_complaints(error)) from None


class DocumentError(Exception):
    """Why an order document cannot be used: `field: what is wrong`, never with what it holds."""


def _complaints(error: ValidationError) -> str:
    details = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(_complaint(detail["loc"], detail["msg"]) for detail in details)


def _complaint(place: tuple[int | str, ...], message: str) -> str:
    reason = message.removeprefix("Value error, ")
    reason = reason[:1].lower() + reason[1:]
    field = ".".join(str(part) for part in place)
    return f"{field}: {reason}" if field else reason
