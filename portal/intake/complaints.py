"""Why an order document cannot be used, in words that its sender can act on.

A complaint names the field and what is wrong with it, and never says what the field holds: that may
be a license.
"""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from portal.intake.values import MEANINGS

MOST = 10  # complaints about one document; one with 500 bad items is not worth 500
LONGEST_NAME = 40

Context = dict[str, Any]

MESSAGES: dict[str, Callable[[Context], str]] = {
    "missing": lambda _: "is missing",
    "extra_forbidden": lambda _: "is not a field of the order document",
    "json_invalid": lambda context: _not_json(context["error"]),
    "model_type": lambda _: "must be an object",
    "list_type": lambda _: "must be a list",
    "string_type": lambda _: "must be a text",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "enum": lambda context: f"must be {context['expected']}",
    "literal_error": lambda context: f"must be {context['expected']}",
    "string_too_short": lambda _: "is empty",
    "string_too_long": lambda context: f"has more than {context['max_length']} characters",
    "too_short": lambda context: f"needs at least {context['min_length']}",
    "too_long": lambda context: f"has more than {context['max_length']}",
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
    "string_pattern_mismatch": lambda context: MEANINGS[context["pattern"]],
    "value_error": lambda context: str(context["error"]),
}


class DocumentError(Exception):
    """Why an order document cannot be used: `field: what is wrong`, never with what it holds."""

    @classmethod
    def of(
        cls, error: ValidationError, *, whole: str = "line", within: str | None = None
    ) -> "DocumentError":
        """What pydantic found, in our words.

        `whole` is what all of it is called; the fields in the field `within` are named without it.
        """
        details = error.errors(include_input=False, include_url=False)
        complaints = [_complaint(detail, whole, within) for detail in details[:MOST]]
        if len(details) > MOST:
            complaints.append(f"and {len(details) - MOST} more")
        return cls("; ".join(complaints))


def _complaint(detail: ErrorDetails, whole: str, within: str | None) -> str:
    message = MESSAGES.get(detail["type"], _unknown)
    reason = message(detail.get("ctx", {}))
    names_itself = detail["type"] == "value_error"  # where it is about a whole document
    place = detail["loc"]
    if place[:1] == (within,) and (len(place) > 1 or names_itself):
        place = place[1:]
    field = ".".join(field_name(part) for part in place)
    return reason if names_itself and not field else f"{field or whole}: {reason}"


def _not_json(reason: str) -> str:
    where = reason.replace("line 1 ", "")  # an order document has one line, wherever it stands
    if where.startswith("invalid unicode code point"):
        return where.replace("invalid unicode code point", "is not UTF-8")
    return f"is not JSON: {where}"


def _unknown(_context: Context) -> str:
    return "cannot be used"


def field_name(part: int | str) -> str:
    """A part of a field's name; the name of an unknown field may be anything at all."""
    name = str(part)
    shown = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
    return shown if shown.isprintable() else ascii(shown)
