"""How settings are given on the command line, and what is said of those that cannot be used."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from portal.models import Unsound


@contextmanager
def one_line_about(options: Mapping[str, str]) -> Iterator[None]:
    """End in one line what was given by these options, by the name of the setting, and cannot be
    used."""
    try:
        yield
    except Unsound as unsound:
        complaints = [
            f"{options.get(field, field.removeprefix('settings.'))}: {sentence}"
            for field, sentence in unsound.complaints.items()
        ]
        raise click.UsageError(" ".join(complaints)) from None


def given(**settings: object) -> dict[str, Any]:
    """Those that were given."""
    return {name: value for name, value in settings.items() if value is not None}
