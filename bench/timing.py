"""Times, taken in turns, so that a busy moment of the machine falls on all alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from statistics import quantiles

WARM_UP = 5
SEED = 7


@dataclass(frozen=True)
class Times:
    """Times in seconds, in the order in which they were taken."""

    seconds: list[float]

    @property
    def p50(self) -> float:
        return quantiles(self.seconds, n=100)[49]

    @property
    def p99(self) -> float:
        return quantiles(self.seconds, n=100)[98]

    def halves(self) -> "tuple[Times, Times]":
        """Every other time: two that measured the same thing in the same minutes."""
        return Times(self.seconds[::2]), Times(self.seconds[1::2])


def in_turns(deeds: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Times]:
    """Do each of `deeds`, which say how long they took, `rounds` times, one after the other. What
    comes before one leaves the caches warm or cold for it, so the order changes each time."""
    for _ in range(min(WARM_UP, rounds)):
        for deed in deeds.values():
            deed()
    taken: dict[str, list[float]] = {name: [] for name in deeds}
    chance = Random(SEED)
    for _ in range(rounds):
        for name in chance.sample(list(deeds), len(deeds)):
            taken[name].append(deeds[name]())
    return {name: Times(seconds) for name, seconds in taken.items()}
