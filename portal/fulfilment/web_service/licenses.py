"""Finds the licenses in the answer of a web service."""

from typing import Self

from flask_babel import gettext as _
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from portal.fulfilment.web_service.exchange import Received
from portal.intake.values import LicenseText

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Python knows more, some of which a hostile answer could keep busy.
CHARSETS = {
    "utf-8",
    "utf8",
    "us-ascii",
    "iso-8859-1",
    "iso-8859-15",
    "windows-1251",
    "windows-1252",
}


class Unusable(Exception):
    """Why there are no licenses in an answer, in a sentence about it that does not quote it."""


class Document(BaseModel):
    """The answer as JSON. What else is in it is not looked at."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    license: str | None = None
    licenses: list[str] | None = None

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        if (self.license is None) == (self.licenses is None):
            raise ValueError("neither, or both")
        return self

    @property
    def texts(self) -> list[str]:
        return self.licenses or [] if self.license is None else [self.license]


def licenses_in(received: Received, *, quantity: int) -> list[str]:
    """The `quantity` different licenses of an answer, to the letter but for blanks at both ends.

    Raises Unusable.
    """
    if received.is_too_large:
        raise Unusable(_("it is larger than 64 KiB"))
    if received.is_compressed:
        raise Unusable(_("it is compressed, which was not asked for"))
    if not received.body.strip():
        raise Unusable(_("it is empty"))
    texts = [_license(text) for text in _texts(received)]
    if len(texts) != quantity:
        counts = {"asked": quantity, "found": len(texts)}
        raise Unusable(_("licenses asked for: %(asked)d, licenses in it: %(found)d", **counts))
    if len(set(texts)) < len(texts):
        raise Unusable(_("it has the same license twice"))
    return texts


def _texts(received: Received) -> list[str]:
    if received.content_type == "application/json":
        return _document(received).texts
    if received.content_type == "text/plain":
        return [_plain(received)]
    raise Unusable(_("its Content-Type is neither text/plain nor application/json"))


def _document(received: Received) -> Document:
    try:
        return Document.model_validate_json(received.body.removeprefix(BYTE_ORDER_MARK))
    except ValidationError:
        raise Unusable(_("it is not JSON with either “license” or “licenses”")) from None


def _plain(received: Received) -> str:
    charset = received.charset or "utf-8"
    if charset not in CHARSETS:
        raise Unusable(_("its character encoding is not known; best is UTF-8"))
    try:
        return received.body.removeprefix(BYTE_ORDER_MARK).decode(charset)
    except UnicodeDecodeError:
        raise Unusable(_("it is not text in the character encoding that it names")) from None


def _license(text: str) -> str:
    try:
        return TypeAdapter(LicenseText).validate_python(text)
    except ValidationError as error:
        kind = error.errors(include_input=False, include_url=False)[0]["type"]
    if kind == "string_too_long":
        raise Unusable(_("it has a license of more than 10,000 characters"))
    if kind == "string_pattern_mismatch":
        raise Unusable(_("it has a license with a NUL character"))
    raise Unusable(_("it has a blank license"))
