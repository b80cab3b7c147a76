"""Settings that are given as NAME=VALUE, one by one."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

Assignment = tuple[str, Any]


def assignments_in(
    _context: click.Context, _parameter: click.Parameter, texts: Sequence[str]
) -> list[Assignment]:
    """The names and values of an option that can be given several times."""
    if wrong := [text for text in texts if "=" not in text or text.startswith("=")]:
        raise click.BadParameter(f"{wrong[0].partition('=')[0]!r} needs a name, = and a value")
    pairs = [(name, value) for name, _equals, value in (text.partition("=") for text in texts)]
    return [(name, _value(name, value)) for name, value in pairs]


def line_typed() -> str:
    """The next line of standard input."""
    return _text(sys.stdin.buffer.readline())


def _value(name: str, value: str) -> str:
    """What is given as `value`: on the command line, in a file, or on standard input."""
    if value == "-":
        return line_typed()
    if value.startswith("@"):
        try:
            return _text(Path(value[1:]).read_bytes())
        except OSError as error:
            raise click.BadParameter(f"{value[1:]!r}: {error.strerror}") from None
    if name == "secret" and value:
        raise click.BadParameter(
            "everybody on this machine can see the command line; use secret=- or secret=@FILE"
        )
    return value


def _text(content: bytes) -> str:
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.BadParameter("what was read is not UTF-8") from None


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
