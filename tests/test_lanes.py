"""One other side has half of the threads at most; who is turned away comes back by and by."""

from contextlib import ExitStack, suppress
from datetime import timedelta

import pytest

from portal import clock, lanes

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("app"),
]
SLOW, OTHER = "https://slow.example:443", "https://other.example:443"


@pytest.fixture
def inside():
    """Enter a lane and stay inside until the test ends; when to come back, if it is full."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(lanes.enter(name))


@pytest.mark.parametrize(
    "width",
    [
        pytest.param(width, marks=pytest.mark.settings(WORKER_THREADS=threads))
        for threads, width in [(1, 1), (2, 1), (4, 2), (5, 2), (8, 4)]
    ],
)
def test_half_of_the_threads_at_most_are_inside(inside, width):
    assert [inside(SLOW) for _thread in range(width)] == [None] * width
    assert inside(SLOW) > clock.now()
    assert inside(OTHER) is None
    assert inside(None) is None


@pytest.mark.settings(WORKER_THREADS=2)
def test_who_leaves_makes_room_whatever_came_of_it():
    for _time in range(3):
        with suppress(ValueError), lanes.enter(SLOW) as full_until:
            assert full_until is None
            raise ValueError


@pytest.mark.settings(WORKER_THREADS=2)
def test_who_is_turned_away_comes_back_one_after_the_other_within_a_minute(inside):
    inside("https://fresh.example:443")
    times = [inside("https://fresh.example:443") for _thread in range(1000)]
    assert times[:5] == sorted(set(times[:5]))
    assert max(times) < clock.now() + timedelta(minutes=1)
