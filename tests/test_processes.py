"""A claim says whose it is, and others know when that process has ended, and when they cannot."""

import os
import subprocess
import sys
from socket import gethostname

import pytest

from portal.processes import is_gone, this_process


def named(pid):
    """The name that the process of this number has, or had."""
    return f"{this_process().rsplit(':', 2)[0]}:life:{pid}"


def test_who_runs_is_not_gone():
    assert not is_gone(this_process())
    assert not is_gone(named(os.getppid()))


def test_a_process_of_this_number_that_had_another_life_is_gone():
    assert is_gone(named(os.getpid()))


def test_who_has_ended_is_gone():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert is_gone(named(ended.pid))


def test_nobody_knows_of_another_host():
    assert not is_gone("another:life:1")
    assert not is_gone(f"another:life:{2**22 + 1}")


def test_nobody_knows_of_a_container_that_has_the_same_name():
    """It counts its processes by itself: a number says nothing outside of it."""
    for place in (gethostname(), f"{gethostname()}/1"):
        assert not is_gone(f"{place}:life:{2**22 + 1}")
        assert not is_gone(f"{place}:life:{os.getpid()}")


@pytest.mark.parametrize("name", ["", "host", "host:life", "host:life:pid"])
def test_what_is_no_name_says_nothing(name):
    assert not is_gone(name)
