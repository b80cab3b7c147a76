"""Who dies is started again, and who dies at once again and again less and less often."""

import os

import pytest

from portal import supervision
from portal.supervision import FIRST_PAUSE, Part


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
    assert pauses == [0, FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert "no-such-command ended with code 2 and is started again" in caplog.text
    part.wait_for_end(0)
