"""Several processes that run together: one that dies is started again, all of them end together.

Looked at before: honcho ends all when one ends, and starts none again; circus brings an event loop
and a message bus along; supervisor wants a file of its own and is a service like systemd; gunicorn
starts its own workers again and no others.
"""

import logging
import os
import signal
import subprocess
import sys
from socket import socket
from threading import Event, Thread
from time import monotonic

log = logging.getLogger(__name__)

# Who dies sooner than this, in seconds, waits before it starts again: each time twice as long.
TOO_SOON = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
# Seconds to finish what is in hand, before it is killed.
GRACE = 25.0
TICK = 0.1
# Holds the number of a pipe whose other end the supervisor has.
LIFELINE = "KEYDESK_LIFELINE"


class Part:
    """One command of ours that is kept running; `files` are descriptors that it inherits;
    `pause` is how many seconds it waits before it is started again."""

    def __init__(self, *command: str, files: tuple[int, ...] = ()) -> None:
        self.name = command[0]
        self._command = [sys.executable, "-m", "portal", *command]
        self._files = files
        self.pause = 0.0
        self._begun_at = 0.0
        self._due_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def keep_running(self, lifeline: int) -> None:
        """Start it, unless it is running or pauses; called again and again."""
        if self.process and self.process.poll() is not None:
            self._rest(monotonic() - self._begun_at)
            log.warning("%s %s and is started again", self.name, _ending(self.process.returncode))
            self.process = None
        if self.process is None and monotonic() >= self._due_at:
            try:
                self._start(lifeline)
            except OSError as error:  # no memory, say: the others run on, and this is tried again
                self._rest(0.0)
                log.warning("%s cannot be started: %s", self.name, error.strerror)

    def _start(self, lifeline: int) -> None:
        self._begun_at = monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            self._command,
            env=os.environ | {LIFELINE: str(lifeline)},
            pass_fds=(lifeline, *self._files),
            process_group=0,  # Ctrl+C is for the supervisor, which lets it finish
        )
        log.info("%s started as process %s", self.name, self.process.pid)

    def _rest(self, lived: float) -> None:
        longer = min(max(self.pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        self.pause = longer if lived < TOO_SOON else 0.0
        self._due_at = monotonic() + self.pause

    def ask_to_end(self) -> None:
        """Let it finish what it has in hand."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)

    def wait_for_end(self, seconds: float) -> None:
        """Wait for its end, and kill it where that takes longer."""
        if not self.process:
            return
        try:
            self.process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run_together(parts: list[Part], listener: socket) -> None:
    """Keep `parts` running until SIGTERM or SIGINT, and then let them end. `listener` is what they
    inherit; it is closed as soon as they are to end, so that nobody waits at it in vain."""
    ending = Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: ending.set())
    lifeline, held = os.pipe()  # `held` closes when this process ends, in whatever way
    while not ending.wait(TICK):
        for part in parts:
            part.keep_running(lifeline)
    listener.close()
    deadline = monotonic() + GRACE
    for part in parts:
        part.ask_to_end()
    for part in parts:
        part.wait_for_end(deadline - monotonic())
    os.close(held)
    os.close(lifeline)


def end_with_supervisor() -> None:
    """Have this process end as by SIGTERM when its supervisor, if it has one, is gone."""
    lifeline = os.environ.pop(LIFELINE, None)
    if lifeline is None:
        return

    def wait() -> None:
        os.read(int(lifeline), 1)  # nothing is ever written: this is the end of the other end
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=wait, name="lifeline", daemon=True).start()


def _ending(code: int) -> str:
    return f"ended with code {code}" if code >= 0 else f"was ended by signal {-code}"
