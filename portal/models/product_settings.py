"""What an operator sets for a product beside the settings of its tool, and what it may be."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, ValidationError

from portal.intake.values import Name64, Name255
from portal.models.unsound import Unsound

URL_LENGTH = 500


class Tool(StrEnum):
    """The fulfilment tools; portal/fulfilment/ has one file for each."""

    WEB_SERVICE = "web_service"
    POOL = "pool"
    INFORMATION = "information"
    LICENSE_REQUEST = "license_request"


class LicenseQuantity(StrEnum):
    """How many licenses an item gets."""

    PER_UNIT = "per_unit"
    PER_ITEM = "per_item"


def _or_none(value: object) -> object:
    return None if value == "" else value


class ProductSettings(BaseModel):
    """What is not given stays as it is. `url` is where the product is to be had, for e-mails."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    code: Name64 = ""
    name: Name255 = ""
    tool: Annotated[Tool | None, BeforeValidator(_or_none)] = None
    license_quantity: LicenseQuantity = LicenseQuantity.PER_UNIT
    url: Annotated[
        Annotated[HttpUrl, Field(max_length=URL_LENGTH)] | None, BeforeValidator(_or_none)
    ] = None


def checked_product(fields: dict[str, Any]) -> dict[str, Any]:
    """`fields` as a product keeps them. Raises Unsound."""
    try:
        settings = ProductSettings.model_validate(fields)
    except ValidationError as error:
        raise Unsound.of(error) from None
    found = settings.model_dump(exclude_unset=True)
    return found | ({"url": str(found["url"])} if found.get("url") else {})
