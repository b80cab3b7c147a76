"""A progress bar for commands that take long."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error where that is a terminal, and nothing elsewhere.

    Yields what to call with the steps that were done since the last call; `total` is None where
    nobody knows how many there are. What is written to standard error meanwhile stands above it.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    silent = not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=silent) as bar:
        task = bar.add_task(label, total=total)
        yield lambda steps: bar.advance(task, steps)
