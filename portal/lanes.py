"""How many threads of a worker speak to the same other side at once, so that those that are slow
hold up nobody else.

One other side has half of the threads at most, and a single one before it has ever answered. All
that are slow have half of them together, however many they are, and take turns there. So one that
becomes slow holds up others once, for as long as it has been trusted to be quick.

Where the other side is so quick that there is room again in a moment, a thread may wait that long:
what is turned away comes back by Huey's clock, which ticks once a second, and then all at once.

A worker counts its own threads and nobody else's: each of several keeps half of its threads free,
and none that died is counted.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Condition
from time import monotonic

from flask import current_app

from portal import clock

# What takes longer than so many seconds is slow.
SLOW = 2.0
# Seconds that a thread may wait for room, where the other side takes no longer.
MOMENT = 0.5
# Who is turned away comes back so many seconds after the one before at the earliest, and within so
# many, however many there are.
NEAREST, FARTHEST = 0.1, 60.0
# Who does not come back so many seconds after it should have has lost its turn.
LATE = 5.0


@dataclass
class Lane:
    """One other side: since when each of those `inside` is there, how many seconds the last ones
    `took`, when the next one comes back that was turned away, and since when it waits for a turn
    among the slow ones, and until when that is kept."""

    inside: list[float] = field(default_factory=list)
    took: float | None = None
    next: float = 0.0
    waits_since: float = 0.0
    waits_until: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it takes, which those that are inside may show before they are out."""
        now = monotonic()
        return max(self.took or 0.0, now - min(self.inside, default=now))

    @property
    def is_slow(self) -> bool:
        """Whether it takes long, or did a few times ago."""
        return self.seconds > SLOW

    @property
    def is_quick(self) -> bool:
        """Whether there is room again in a moment."""
        return self.took is not None and self.seconds < MOMENT

    def width(self, half: int) -> int:
        """How many may be inside."""
        return half if self.is_slow or self.took is not None else 1

    def leave(self, began: float) -> None:
        """Note how long it took; one that is quick once is not yet quick again."""
        self.inside.remove(began)
        self.took = max(monotonic() - began, (self.took or 0.0) / 2)

    def come_back(self, width: int) -> datetime:
        """When to come back: one after the other, about as quickly as there is room again."""
        now = monotonic()
        pace = max(self.seconds / width, NEAREST)
        self.next = max(self.next, now) + pace
        if self.next > now + FARTHEST:
            self.next = now + pace
        if self.waits_until < now:
            self.waits_since = now
        self.waits_until = self.next + LATE
        return clock.now() + timedelta(seconds=self.next - now)


_lanes: dict[str, Lane] = defaultdict(Lane)
_counting = Condition()


@contextmanager
def enter(other_side: str | None, *, may_wait: bool = False) -> Iterator[datetime | None]:
    """Gives None, and you may speak to the other side inside the block; or else when to come back,
    because enough threads of this worker do so. Nobody (None) keeps no thread busy. Who has no
    transaction open `may_wait` a moment for room."""
    if other_side is None:
        yield None
        return
    half = max(current_app.config["WORKER_THREADS"] // 2, 1)
    with _counting:
        lane = _lanes[other_side]
        if may_wait and lane.is_quick:
            _counting.wait_for(lambda: _has_room(lane, half), MOMENT)
        until = None if _has_room(lane, half) else lane.come_back(lane.width(half))
        began = monotonic()
        if until is None:
            lane.inside.append(began)
            lane.waits_until = 0.0
    try:
        yield until
    finally:
        if until is None:
            with _counting:
                lane.leave(began)
                _counting.notify_all()


def _has_room(lane: Lane, half: int) -> bool:
    if len(lane.inside) >= lane.width(half):
        return False
    if not lane.is_slow:
        return True
    slow = [other for other in _lanes.values() if other.is_slow]
    return sum(len(other.inside) for other in slow) + _before(lane, slow) < half


def _before(lane: Lane, slow: list[Lane]) -> int:
    """How many of the others have waited longer for their turn."""
    now = monotonic()
    since = lane.waits_since if lane.waits_until > now else now
    return sum(other.waits_until > now and other.waits_since < since for other in slow)
