"""The kinds of value in the settings, and what to say when one cannot be used."""

import re
from collections.abc import Callable
from functools import cache
from typing import Annotated

from flask_babel import gettext as _
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

LONGEST_PATTERN = 200
MOST_EXTRAS = 50

# RFC 9110, 5.6.2 and 5.5; of the latter ASCII alone, which every server reads alike.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")

# Headers that say how a message travels, or that we set ourselves.
OURS = {
    "accept-encoding",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
OUR_PREFIXES = ("keydesk-", "proxy-", "webhook-")


def finds(pattern: str) -> Callable[[str], bool]:
    """Says whether `pattern` is found in a text. Raises ValueError for one that is none.

    The engine is the one of pydantic, which takes time in proportion to the text, whatever the
    pattern: that of Python can be kept busy for hours by a short answer, and cannot be stopped.
    """
    try:
        adapter = _adapter(pattern)
    except SchemaError:
        raise ValueError(_("The pattern cannot be understood.")) from None

    def found(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return found


@cache
def _adapter(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])


def _pattern(pattern: str) -> str:
    finds(pattern)
    return pattern


def _header_name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(_("A name of a header has letters, digits and hyphens."))
    if name.lower() in OURS or name.lower().startswith(OUR_PREFIXES):
        raise ValueError(_("Keydesk sets this header itself."))
    return name


def _header_value(value: str) -> str:
    if not _PRINTABLE.fullmatch(value):
        raise ValueError(_("The value of a header is plain ASCII in one line."))
    return value


def _one_line(text: str) -> str:
    if not (text.isprintable() or text == ""):
        raise ValueError(_("A parameter has no line breaks or other control characters."))
    return text


ParameterName = Annotated[str, Field(max_length=64), AfterValidator(_one_line)]
ParameterValue = Annotated[str, Field(max_length=1000), AfterValidator(_one_line)]
HeaderName = Annotated[str, Field(max_length=64), AfterValidator(_header_name)]
HeaderValue = Annotated[str, Field(max_length=1000), AfterValidator(_header_value)]
Pattern = Annotated[str, Field(max_length=LONGEST_PATTERN), AfterValidator(_pattern)]
