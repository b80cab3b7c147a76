"""What is wrong with the settings that somebody wants, in sentences for that person."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from portal.intake.values import PLAIN

Context = dict[str, Any]


class Unsound(Exception):
    """`complaints` are sentences by field, such as 'title' or 'settings.url'; what is about several
    fields of the settings stands under 'settings'. They never quote what a field holds: that may be
    a secret."""

    def __init__(self, complaints: dict[str, str]) -> None:
        super().__init__(", ".join(sorted(complaints)))
        self.complaints = complaints

    @classmethod
    def of(cls, error: ValidationError, *within: str) -> "Unsound":
        """What pydantic found, in our words; of several complaints about a field, the first."""
        details = error.errors(include_input=False, include_url=False)
        return cls({_field(detail, within): _sentence(detail) for detail in reversed(details)})


def _field(detail: ErrorDetails, within: tuple[str, ...]) -> str:
    parts = [part for part in detail["loc"] if isinstance(part, str) and part != "[key]"]
    return ".".join([*within, *parts])


def _sentence(detail: ErrorDetails) -> str:
    known = _sentences().get(detail["type"])
    return known(detail.get("ctx", {})) if known else _("This cannot be used.")


def _sentences() -> dict[str, Callable[[Context], str]]:
    return {
        "missing": lambda _context: _("This has to be filled in."),
        "extra_forbidden": lambda _context: _("There is no such setting."),
        "string_too_short": lambda _context: _("This has to be filled in."),
        "string_too_long": lambda context: _(
            "Use %(most)s characters at most.", most=context["max_length"]
        ),
        "url_too_long": lambda context: _(
            "Use %(most)s characters at most.", most=context["max_length"]
        ),
        "url_parsing": lambda _context: _no_address(),
        "url_scheme": lambda _context: _no_address(),
        "int_type": lambda _context: _no_number(),
        "int_parsing": lambda _context: _no_number(),
        "int_parsing_size": lambda _context: _no_number(),
        "int_from_float": lambda _context: _no_number(),
        "bool_type": lambda _context: _("Use “yes” or “no”."),
        "bool_parsing": lambda _context: _("Use “yes” or “no”."),
        "greater_than_equal": lambda context: _("Use %(least)s at least.", least=context["ge"]),
        "less_than_equal": lambda context: _("Use %(most)s at most.", most=context["le"]),
        "enum": lambda context: _("Use %(choices)s.", choices=context["expected"]),
        "literal_error": lambda context: _("Use %(choices)s.", choices=context["expected"]),
        "string_pattern_mismatch": lambda context: (
            _("Use one line, without control characters.")
            if context["pattern"] == PLAIN
            else _("This cannot be used.")
        ),
        "value_error": lambda context: str(context["error"]),
    }


def _no_address() -> str:
    return _("Use a complete address, such as https://vendor.example/licenses.")


def _no_number() -> str:
    return _("Use a whole number.")
