"""The order document: one order as it enters the portal (docs/order.schema.json)."""

import json
import re
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from string import ascii_uppercase
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from portal.intake.complaints import DocumentError, field_name
from portal.intake.values import (
    Amount,
    Country,
    Currency,
    Email,
    EntryText,
    LicenseText,
    Name64,
    Name255,
    Number,
    PageCode,
    Quantity,
    Text16,
    Text40,
    Text64,
    Text100,
    Text200,
    Time,
)
from portal.models import OrderStatus

_BLANKS_AFTER_NAME = re.compile(rb'"\s+:')


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class LicenseDocument(_Part):
    """One license of an item, and when it was received, which is now where nobody says."""

    text: LicenseText
    received_at: Time | None = None


class ProductDocument(_Part):
    """What was bought; `id` is what the checkout page calls it, `sku` what the vendor does."""

    id: Name64
    sku: Text64 | None = None
    name: Name255


class ItemDocument(_Part):
    """One product line: `quantity` units for `amount` in all, in the currency of the order."""

    id: Name64
    product: ProductDocument
    quantity: Quantity
    amount: Amount
    refunded_at: Time | None = None
    licenses: list[LicenseDocument] = []


class CustomerDocument(_Part):
    """Who bought. Without an e-mail address (null) their personal data is erased."""

    email: Email | None
    first_name: Text100 | None = None
    last_name: Text100 | None = None
    phone: Text40 | None = None
    company: Text200 | None = None
    country: Country | None = None
    type: Literal["physical", "legal"] = "physical"


class EntryDocument(_Part):
    """What happened to the order before it came here, in the words of whoever tells."""

    at: Time
    text: EntryText


class OrderDocument(_Part):
    """One order. Times have an offset (RFC 3339), amounts two decimals as texts, `locale` is that
    of the customer; its items have different ids."""

    number: Number
    external_id: Text64 | None = None
    checkout_page: PageCode
    status: OrderStatus
    created_at: Time
    paid_at: Time | None = None
    currency: Currency
    total: Amount
    locale: Text16 = "en"
    payment_method: Text64 | None = None
    customer: CustomerDocument
    items: Annotated[list[ItemDocument], Field(min_length=1, max_length=500)]
    history: list[EntryDocument] = []

    # Not in the document but around it, see `told`. To read a private attribute of pydantic's takes
    # ten times as long, and each order is asked several times.
    told_at: ClassVar[datetime | None] = None
    parts: ClassVar[int | None] = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.order_id == 0:
            raise ValueError("number: must not be 0")
        if self.status is OrderStatus.PAID and self.paid_at is None:
            raise ValueError("paid_at: is required when the status is paid")
        refs = [item.id for item in self.items]
        if len(set(refs)) < len(refs):
            raise ValueError("items: two of them have the same id")
        return self

    @cached_property
    def order_id(self) -> int:
        """The id of the order in the portal: the numeric part of its number."""
        return int(self.number.lstrip(ascii_uppercase))

    @property
    def license_texts(self) -> list[str]:
        """All licenses of the order."""
        return [license.text for item in self.items for license in item.licenses]

    def told(self, at: datetime, *, parts: int | None = None) -> Self:
        """This document as news: so it was at `at`, and it may come after what is newer.

        `parts` says of how many items the order is when the document holds but one of them.
        """
        vars(self).update(told_at=at, parts=parts)
        return self

    @property
    def is_part(self) -> bool:
        """Whether this is one item of the order, and says nothing of the others."""
        return self.parts is not None

    def status_with(self, refunds: Collection[datetime | None], parts: int) -> OrderStatus:
        """The status of the order whose items were refunded at these times, out of `parts`.

        Where all were, the order is deleted. A document that is no news has its own word for it.
        """
        refunded = len(refunds) >= parts and all(refunds)
        if self.told_at and refunded and self.status.can_become(OrderStatus.DELETED):
            return OrderStatus.DELETED
        return self.status


def money(amount: str) -> Decimal:
    """An amount of a document; it always has two decimals."""
    return Decimal(amount)


def read_document(line: bytes | str) -> OrderDocument:
    """The order document in a JSON text. Raises DocumentError."""
    try:
        document = OrderDocument.model_validate_json(line)
    except ValidationError as error:
        raise DocumentError.of(error) from None
    if _names_in(line.encode() if isinstance(line, str) else line) != _fields_of(document):
        # There seem to be more names than fields; a text may look like a name, too.
        refuse_fields_that_are_there_twice(line)
    return document


def _names_in(line: bytes) -> int:
    """How many names of fields `line` has, and texts that look like one."""
    return line.count(b'":') + len(_BLANKS_AFTER_NAME.findall(line))


def _fields_of(document: OrderDocument) -> int:
    """How many fields the document says, those of its parts included."""
    parts: list[_Part] = [document, document.customer, *document.items, *document.history]
    for item in document.items:
        parts += (item.product, *item.licenses)
    return sum(len(part.model_fields_set) for part in parts)


def refuse_fields_that_are_there_twice(line: bytes | str) -> None:
    """Of two fields with one name pydantic takes the last, and the sender may mean the other.

    `line` is JSON. Raises DocumentError.
    """

    def once(pairs: list[tuple[str, object]]) -> None:
        for name, count in Counter(name for name, _value in pairs).items():
            if count > 1:
                raise DocumentError(f"{field_name(name)}: is there twice")

    json.loads(line, object_pairs_hook=once, parse_int=str)  # Python reads no number of any length
