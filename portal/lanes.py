"""How many threads of a worker speak to the same other side at once: half of them at most, so that
one that is slow holds up nobody else.

A worker counts its own threads and nobody else's: each of several keeps half of its threads free,
and none that died is counted.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic

from flask import current_app

from portal import clock

# Who is turned away comes back within so many seconds, however many there are.
FARTHEST = 60.0


@dataclass
class Lane:
    """One other side: since when each of those `inside` is there, how many seconds the last one
    `took`, and when the next one comes back that was turned away."""

    inside: list[float] = field(default_factory=list)
    took: float = 1.0
    next: float = 0.0

    def come_back(self, width: int) -> datetime:
        """When to come back: one after the other, about as quickly as there is room again."""
        now = monotonic()
        pace = max(self.took, now - min(self.inside)) / width
        self.next = max(self.next, now) + pace
        if self.next > now + FARTHEST:
            self.next = now + pace
        return clock.now() + timedelta(seconds=self.next - now)


_lanes: dict[str, Lane] = defaultdict(Lane)
_counting = Lock()


@contextmanager
def enter(other_side: str | None) -> Iterator[datetime | None]:
    """Gives None, and you may speak to the other side inside the block; or else when to come back,
    because enough threads of this worker do so. Nobody (None) keeps no thread busy."""
    if other_side is None:
        yield None
        return
    width = max(current_app.config["WORKER_THREADS"] // 2, 1)
    began = monotonic()
    with _counting:
        lane = _lanes[other_side]
        until = None if len(lane.inside) < width else lane.come_back(width)
        if until is None:
            lane.inside.append(began)
    try:
        yield until
    finally:
        if until is None:
            with _counting:
                lane.inside.remove(began)
                lane.took = monotonic() - began
