"""The process that does the jobs: Huey's consumer, ended gently by whatever asks it to end."""

import signal
from datetime import datetime
from typing import Any

from huey import Huey
from huey.consumer import Consumer, Worker

from portal.smtp import Line

# What is in hand is finished within this, in seconds: a vendor's answer, or a mail's time limit.
GRACE = 20
# SQLite cannot wake anybody: an idle thread looks for jobs at least this often, in seconds.
LONGEST_NAP = 0.25
# PostgreSQL wakes who waits; this is the pause after the database could not be reached.
LONGEST_PAUSE = 10.0


class MailingThread(Worker):  # type: ignore[misc]
    """A thread of the consumer, whose mails share a connection while there are some."""

    def initialize(self) -> None:
        self._line = Line().__enter__()
        super().initialize()

    def loop(self, now: datetime | None = None) -> None:
        super().loop(now)
        self._line.hang_up_when_idle()

    def shutdown(self) -> None:
        super().shutdown()
        self._line.__exit__()


class GentleConsumer(Consumer):  # type: ignore[misc]
    """Huey's consumer with threads, for which each of the usual signals is a request to finish what
    is in hand, and a second one of the same kind to leave it."""

    worker_class = MailingThread

    def __init__(self, huey: Huey, threads: int) -> None:
        waits: dict[str, Any] = {"max_delay": LONGEST_PAUSE}
        if not huey.storage.blocking:
            waits = {"initial_delay": 0.05, "max_delay": LONGEST_NAP}
        super().__init__(huey, workers=threads, shutdown_timeout=GRACE, **waits)
        gently = (False, True)  # without a restart, and after what is in hand
        self._signal_actions = dict.fromkeys((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), gently)
