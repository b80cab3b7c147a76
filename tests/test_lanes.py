"""Who is slow keeps half of the threads busy at most; who is turned away comes back by and by."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from time import monotonic
from uuid import uuid4

import pytest

from portal import clock, lanes

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("app"),
]


@pytest.fixture(autouse=True)
def new_worker(monkeypatch):
    """Nobody has been inside before."""
    monkeypatch.setattr(lanes, "_lanes", defaultdict(lanes.Lane))


@pytest.fixture
def inside():
    """Enter a lane and stay inside until the test ends, or until it leaves; when to come back, if
    it is full."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(lanes.enter(name))


@pytest.fixture
def vendor():
    """The name of an other side that has answered quickly so far."""

    def name(*, known=True):
        name = f"https://{uuid4()}.example:443"
        if known:
            with lanes.enter(name):
                pass
        return name

    return name


@pytest.fixture
def all_slow(monkeypatch):
    """Whatever an other side takes is slow."""
    return lambda: monkeypatch.setattr(lanes, "SLOW", 0.0)


@pytest.mark.parametrize(
    "width",
    [
        pytest.param(width, marks=pytest.mark.settings(WORKER_THREADS=threads))
        for threads, width in [(1, 1), (2, 1), (4, 2), (5, 2), (8, 4)]
    ],
)
def test_half_of_the_threads_at_most_are_inside(inside, vendor, width):
    one = vendor()
    assert [inside(one) for _thread in range(width)] == [None] * width
    assert inside(one) > clock.now()
    assert inside(vendor()) is None
    assert inside(None) is None


@pytest.mark.settings(WORKER_THREADS=8)
def test_one_that_has_not_answered_yet_has_one_thread(inside, vendor):
    new = vendor(known=False)
    assert inside(new) is None
    assert inside(new) > clock.now()
    assert inside(vendor(known=False)) is None


@pytest.mark.settings(WORKER_THREADS=8)
def test_all_that_are_slow_have_half_of_the_threads_together(inside, vendor, all_slow):
    slow = [vendor() for _vendor in range(6)]
    all_slow()
    assert [inside(each) is None for each in slow] == [True] * 4 + [False] * 2
    assert inside(slow[0]) > clock.now()


@pytest.mark.settings(WORKER_THREADS=4)
def test_the_slow_ones_take_turns(vendor, all_slow):
    busy, other, third = vendor(), vendor(), vendor()
    all_slow()
    with lanes.enter(other):
        with lanes.enter(busy) as first, lanes.enter(third) as turned_away:
            assert (first, bool(turned_away)) == (None, True)
        with lanes.enter(busy) as again:
            assert again
        with lanes.enter(third) as turn:
            assert turn is None
        with lanes.enter(busy) as turn:
            assert turn is None


@pytest.mark.settings(WORKER_THREADS=2)
def test_a_turn_is_not_kept_for_ever(vendor, all_slow, monkeypatch):
    busy, other = vendor(), vendor()
    all_slow()
    monkeypatch.setattr(lanes, "LATE", -lanes.FARTHEST)
    with lanes.enter(busy), lanes.enter(other) as turned_away:
        assert turned_away
    with lanes.enter(busy) as again:
        assert again is None


@pytest.fixture
def come_in(app):
    """Enter a lane in another thread, as one that may wait; its future says when to come back."""

    def enter(name):
        with app.app_context(), lanes.enter(name, may_wait=True) as full_until:
            return full_until

    with ThreadPoolExecutor(1) as thread:
        yield lambda name: thread.submit(enter, name)


@pytest.mark.settings(WORKER_THREADS=2)
def test_who_finds_a_quick_one_full_waits_a_moment_for_room(vendor, come_in, monkeypatch):
    monkeypatch.setattr(lanes, "MOMENT", 20.0)
    one = vendor()
    with lanes.enter(one):
        second = come_in(one)
        with pytest.raises(TimeoutError):
            second.result(0.2)
    assert second.result(10) is None


@pytest.mark.settings(WORKER_THREADS=2)
def test_who_has_waited_a_moment_for_room_is_turned_away(vendor, come_in, monkeypatch):
    monkeypatch.setattr(lanes, "MOMENT", 0.1)
    one = vendor()
    with lanes.enter(one):
        assert come_in(one).result(10) > clock.now()


@pytest.mark.settings(WORKER_THREADS=2)
@pytest.mark.parametrize("took", [None, 60.0], ids=["not known yet", "slow"])
def test_nobody_waits_for_one_that_is_not_quick(vendor, come_in, monkeypatch, took):
    monkeypatch.setattr(lanes, "MOMENT", 20.0)
    one = vendor()
    lanes._lanes[one].took = took
    with lanes.enter(one):
        assert come_in(one).result(10) > clock.now()


def test_one_that_was_slow_is_quick_again_after_some_quick_answers():
    lane, found = lanes.Lane(), []
    for seconds in (10, 0, 0, 0):
        began = monotonic() - seconds
        lane.inside.append(began)
        lane.leave(began)
        found.append(lane.is_slow)
    assert found == [True, True, True, False]


def test_one_that_has_not_answered_for_long_is_slow():
    assert [lanes.Lane([monotonic() - age]).is_slow for age in (0, 60)] == [False, True]


@pytest.mark.settings(WORKER_THREADS=2)
def test_who_leaves_makes_room_whatever_came_of_it(vendor):
    one = vendor()
    for _time in range(3):
        with suppress(ValueError), lanes.enter(one) as full_until:
            assert full_until is None
            raise ValueError


@pytest.mark.settings(WORKER_THREADS=2)
def test_who_is_turned_away_comes_back_one_after_the_other_within_a_minute(inside, vendor):
    fresh = vendor(known=False)
    inside(fresh)
    times = [inside(fresh) for _thread in range(1000)]
    assert times[:5] == sorted(set(times[:5]))
    assert max(times) < clock.now() + timedelta(minutes=1)
