"""Who dies is started again, and who dies at once again and again less and less often."""

import os
import resource
from time import sleep

import pytest

from portal import supervision
from portal.supervision import FIRST_PAUSE, TICK, Part


@pytest.fixture
def lifeline():
    read, write = os.pipe()
    yield read
    os.close(read)
    os.close(write)


def test_who_dies_at_once_again_and_again_waits_longer_each_time(lifeline, caplog, monkeypatch):
    monkeypatch.setattr(supervision, "TOO_SOON", 1000)  # on the busiest of machines
    part, pauses = Part("no-such-command"), []
    while len(pauses) < 4:
        part.keep_running(lifeline)
        if part.process:
            part.process.wait()
        if part.pause not in pauses:
            pauses.append(part.pause)
        sleep(TICK)
    assert pauses == [0, FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert "no-such-command ended with code 2 and is started again" in caplog.text
    part.wait_for_end(0)


@pytest.fixture
def no_more_files():
    """No file can be opened, which a process needs to start; call it, and they can again."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))

    def over():
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    yield over
    over()


def test_who_cannot_be_started_is_tried_again_after_a_pause(lifeline, caplog, no_more_files):
    part = Part("no-such-command")
    part.keep_running(lifeline)
    assert part.process is None
    assert part.pause == FIRST_PAUSE
    assert "no-such-command cannot be started: Too many open files" in caplog.text

    no_more_files()
    while part.process is None:
        part.keep_running(lifeline)
        sleep(TICK)
    assert part.process.wait() == 2
