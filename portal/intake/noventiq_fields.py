"""The fields of a message of Noventiq Checkout, as far as Keydesk has a use for them.

Numbers may be texts and texts numbers, a field that is not filled in is empty, and there may be
more of them than are documented.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from portal.intake.values import (
    Amount,
    Country,
    Currency,
    Email,
    Name64,
    Name255,
    Number,
    Quantity,
    Text16,
    Text40,
    Text64,
    Text100,
    Text200,
    Time,
)
from portal.models import Order

_DOCUMENT_PART = re.compile(r"([1-9][0-9]{0,2})-of-([1-9][0-9]{0,2})", re.ASCII)


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _sound_part(text: str) -> str:
    found = _DOCUMENT_PART.fullmatch(text)
    if not found or int(found[1]) > int(found[2]):
        raise ValueError("must be a part such as 1-of-2")
    return text


Empty = BeforeValidator(_none_if_empty)


class _Fields(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True)


class Customer(_Fields):
    email: Email
    first_name: Annotated[Text100 | None, Empty] = None
    last_name: Annotated[Text100 | None, Empty] = None
    phone: Annotated[Text40 | None, Empty] = None
    company_name: Annotated[Text200 | None, Empty] = None
    country: Annotated[Country | None, Empty] = None
    type: Annotated[Literal["physical", "legal"] | None, Empty] = None

    @property
    def document(self) -> dict[str, Any]:
        """The customer of an order document."""
        fields = self.model_dump(exclude={"company_name", "type"})
        return fields | {"company": self.company_name, "type": self.type or "physical"}


class Product(_Fields):
    id: Annotated[Name64 | None, Empty] = None
    vendor_code: Annotated[Name64 | None, Empty] = None
    sku: Annotated[Text64 | None, Empty] = None
    name: Name255
    quantity: Quantity
    amount: Amount

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if not (self.id or self.vendor_code):
            raise ValueError("needs an id or a vendor_code")
        return self

    @property
    def code(self) -> str:
        """What the product is known by."""
        return self.id or self.vendor_code or ""


class Payment(_Fields):
    payment_method: Annotated[Text64 | None, Empty] = None


class Part(_Fields):
    """One message: what happened to one product of an order, or to the order."""

    event: Name64
    event_date: Time
    order_id: int
    order_name: Number
    external_id: Annotated[Text64 | None, Empty] = None
    create_date: Time
    pay_date: Annotated[Time | None, Empty] = None
    currency: Currency
    locale: Annotated[Text16 | None, Empty] = None
    document_part: Annotated[str, AfterValidator(_sound_part)]
    customer: Customer
    product: Product
    payment: Payment = Payment()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        # The number alone is signed, and the name is what the order is filed under.
        if Order.id_of(self.order_name) != self.order_id:
            raise ValueError("order_name: is not the name of the order_id")
        return self

    @property
    def parts(self) -> int:
        """Of how many products the order is."""
        return int(self.document_part.rpartition("-")[2])
