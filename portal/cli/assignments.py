"""Settings that are given as NAME=VALUE, one by one."""

import json
from collections.abc import Sequence
from typing import Any

import click

Assignment = tuple[str, Any]


def assignments_in(
    _context: click.Context, _parameter: click.Parameter, texts: Sequence[str]
) -> list[Assignment]:
    """The names and values of an option that can be given several times."""
    if wrong := [text for text in texts if "=" not in text or text.startswith("=")]:
        raise click.BadParameter(f"{wrong[0].partition('=')[0]!r} needs a name, = and a value")
    return [(name, value) for name, _equals, value in (text.partition("=") for text in texts)]


def changed(settings: dict[str, Any], changes: Sequence[Assignment]) -> dict[str, Any]:
    """`settings` with `changes`; a name such as 'extra_headers.X-Shop' is of one within another."""
    found = json.loads(json.dumps(settings))
    for name, value in changes:
        field, dot, part = name.partition(".")
        where = found.setdefault(field, {}) if dot else found
        if not isinstance(where, dict):
            raise click.UsageError(f"{name}: There is no such setting.")
        # A parameter without a name is left out, which is not how it is by itself.
        if value == "" and field != "parameter_names":
            where.pop(part or field, None)
        else:
            where[part or field] = value
    return dict(found)
