"""A web service that is down is asked less often until it answers, by all workers together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from math import ceil

import pytest

from portal import clock
from portal.extensions import db
from portal.models import Endpoint
from portal.models.endpoint import MANY

VENDOR = "https://vendor.example:443"
OTHER = "https://other.example:443"


@pytest.fixture(autouse=True)
def tables(app):
    pass


def fail(times, origin=VENDOR):
    for _ in range(times):
        Endpoint.failed(origin)
        db.session.commit()


def turn(origin=VENDOR):
    """None for a yes, or in which minute from now to come back."""
    when = Endpoint.turn(origin)
    db.session.commit()
    return when and ceil((when - clock.now()) / timedelta(minutes=1))


def wait(minutes):
    """The clock cannot be moved, but what it is compared with can."""
    endpoint = db.session.get_one(Endpoint, VENDOR)
    endpoint.next_probe_at -= timedelta(minutes=minutes)
    db.session.commit()


def test_an_endpoint_that_never_failed_may_be_asked():
    assert turn() is None
    assert db.session.get(Endpoint, VENDOR) is None


def test_some_failures_slow_nobody_down():
    fail(MANY - 1)
    assert [turn() for _ in range(3)] == [None, None, None]


def test_after_many_failures_one_asks_for_all():
    fail(MANY)
    assert turn() == 1
    wait(0.8)
    assert turn() == 1
    wait(0.2)
    assert [turn() for _ in range(3)] == [None, 2, 2]


def test_the_pauses_grow_to_ten_minutes():
    fail(MANY)
    pauses = []
    for _ in range(6):
        pauses.append(turn())
        wait(pauses[-1])
        assert turn() is None
        fail(1)
    assert pauses == [1, 2, 4, 8, 10, 10]


def test_failures_of_requests_that_were_under_way_lengthen_no_pause():
    fail(MANY + 8)
    assert turn() == 1
    wait(1)
    assert turn() is None
    fail(3)
    assert turn() == 2


def test_a_probe_that_never_comes_back_is_followed_by_another():
    fail(MANY)
    wait(1)
    assert turn() is None
    wait(2)
    assert turn() is None


def test_a_probe_may_be_wanted_at_once():
    fail(MANY)
    Endpoint.probe_now(VENDOR)
    assert [turn() for _ in range(3)] == [None, 2, 2]


def test_a_probe_is_not_wanted_where_everybody_may_ask():
    fail(MANY - 1)
    Endpoint.probe_now(VENDOR)
    Endpoint.probe_now(OTHER)
    assert [turn(), turn(), turn(OTHER)] == [None, None, None]
    fail(1)
    assert turn() == 1


def test_an_answer_ends_it():
    fail(MANY)
    assert Endpoint.answered(VENDOR)
    db.session.commit()
    assert [turn(), turn()] == [None, None]
    fail(MANY - 1)
    assert turn() is None


def test_an_answer_in_between_starts_the_count_again():
    fail(MANY - 1)
    assert not Endpoint.answered(VENDOR)
    fail(MANY - 1)
    assert turn() is None
    assert not Endpoint.answered(OTHER)


def test_one_endpoint_slows_no_other_down():
    fail(MANY)
    assert turn(OTHER) is None


def together(app, deed, times):
    def one(_number):
        with app.app_context():
            done = deed()
            db.session.commit()
            return done

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(one, range(times)))


def test_eight_workers_send_one_probe(app):
    fail(MANY)
    for _ in range(5):
        wait(10)
        turns = together(app, lambda: Endpoint.turn(VENDOR), 16)
        assert turns.count(None) == 1


def test_eight_workers_lose_no_failure(app):
    together(app, lambda: Endpoint.failed(VENDOR), 40)
    assert db.session.get_one(Endpoint, VENDOR).failures == 40


def test_failures_and_answers_at_once_do_not_collide(app):
    def both():
        Endpoint.failed(VENDOR)
        db.session.commit()
        Endpoint.answered(VENDOR)

    together(app, both, 40)
    assert db.session.get(Endpoint, VENDOR) is None
