"""A progress bar for commands that take long."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error where that is a terminal, and nothing elsewhere.

    Yields what to call with the steps that were done since the last call; `total` is None where
    nobody knows how many there are. What is written to standard error meanwhile stands above it.
    """
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.TaskProgressColumn(),
        rich.TimeRemainingColumn(),
    )
    silent = not sys.stderr.isatty()
    with rich.Progress(*columns, console=Console(stderr=True), disable=silent) as bar:
        task = bar.add_task(label, total=total)
        yield lambda steps: bar.advance(task, steps)
