"""The kinds of value in an order document: what each may hold, and what to say when it does not.

The contract is docs/order.schema.json. Where these are stricter, docs/order-document.md says so.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

# Characters that a license may have, wherever it comes from.
LONGEST_LICENSE = 10_000

# Control characters have no place in names or addresses: they end lines, of e-mails for instance.
PLAIN = r"^[^\x00-\x1f\x7f-\x9f\x{2028}\x{2029}]*$"
WITHOUT_NUL = r"^[^\x00]*$"  # PostgreSQL keeps no NUL in a text
NUMBER = r"^[A-Z]{0,3}[0-9]{1,12}$"
PAGE_CODE = r"^[a-z0-9][a-z0-9-]{0,62}$"
AMOUNT = r"^[0-9]{1,12}\.[0-9]{2}$"
CURRENCY = r"^[A-Z]{3}$"
COUNTRY = r"^[A-Z]{2}$"

MEANINGS = {
    PLAIN: "has a line break or another control character",
    WITHOUT_NUL: "has a NUL character",
    NUMBER: "must be an order number such as A0005555555",
    PAGE_CODE: "must be the code of a checkout page: small letters, digits and hyphens",
    AMOUNT: "must be an amount such as 29.95",
    CURRENCY: "must be a currency of three capital letters, such as EUR",
    COUNTRY: "must be a country of two capital letters, such as DE",
}

NO_TIME = "must be a time with an offset, such as 2026-11-01T10:00:00+00:00"

# RFC 3339, 5.6, without leap seconds.
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-5][0-9])",
    re.IGNORECASE | re.ASCII,
)

# Nearly every address looks like this. It is an address without asking, which takes long.
_USUAL_ADDRESS = re.compile(
    r"(?=[^@]{1,64}@)[a-z0-9_+-]+(\.[a-z0-9_+-]+)*"
    r"@([a-z0-9](-?[a-z0-9]){0,30}\.){1,3}[a-z]{2,24}",
    re.IGNORECASE | re.ASCII,
)


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError(NO_TIME)
    return _moment_of(value)


@lru_cache(maxsize=4096)  # an order says the same few times over and over
def _moment_of(text: str) -> datetime:
    if not _TIME.fullmatch(text):
        raise ValueError(NO_TIME)
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("is a time that does not exist") from None
    if not 1970 < moment.year < 9999:
        raise ValueError("must be within the years 1971 to 9998")
    return moment.astimezone(UTC)


def _address(text: str) -> str:
    if not _USUAL_ADDRESS.fullmatch(text):
        try:
            validate_email(text, check_deliverability=False, globally_deliverable=False)
        except EmailNotValidError:
            raise ValueError("is not an e-mail address") from None
    return text


def _license_text(text: str) -> str:
    """Byte-exact, but for the blanks at both ends."""
    trimmed = text.strip()
    if not trimmed:
        raise ValueError("is blank")
    return trimmed


def _whole(value: object) -> object:
    """To JSON, 3.0 is a whole number as well as 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Time = Annotated[datetime, PlainValidator(_moment)]
Email = Annotated[str, Field(max_length=254, pattern=PLAIN), AfterValidator(_address)]
Number = Annotated[str, Field(pattern=NUMBER)]
PageCode = Annotated[str, Field(pattern=PAGE_CODE)]
Amount = Annotated[str, Field(pattern=AMOUNT)]
Currency = Annotated[str, Field(pattern=CURRENCY)]
Country = Annotated[str, Field(pattern=COUNTRY)]
Quantity = Annotated[int, Field(ge=1, le=100_000), BeforeValidator(_whole)]
LicenseText = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_LICENSE, pattern=WITHOUT_NUL),
    AfterValidator(_license_text),
]
EntryText = Annotated[str, Field(min_length=1, max_length=1000, pattern=WITHOUT_NUL)]

Text16 = Annotated[str, Field(max_length=16, pattern=PLAIN)]
Text40 = Annotated[str, Field(max_length=40, pattern=PLAIN)]
Text64 = Annotated[str, Field(max_length=64, pattern=PLAIN)]
Text100 = Annotated[str, Field(max_length=100, pattern=PLAIN)]
Text200 = Annotated[str, Field(max_length=200, pattern=PLAIN)]
Name64 = Annotated[str, Field(min_length=1, max_length=64, pattern=PLAIN)]
Name255 = Annotated[str, Field(min_length=1, max_length=255, pattern=PLAIN)]
