"""How many of the threads that answer people wait for the mail server at once.

It may be silent for as long as MAIL_TIME_LIMIT says, and a process has few threads. Half of them
wait for it at most: the others answer whoever looks for an order, or presses Send as well, whose
e-mail the worker sends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from flask import current_app

# Seconds that a thread waits for room: a mail server that is well takes no longer.
MOMENT = 1.0

_waiting: set[object] = set()
_counting = Condition()


@contextmanager
def room_at_mail_server() -> Iterator[bool]:
    """Whether you may speak to the mail server inside the block. Have no transaction open: this may
    take a moment."""
    half = max(current_app.config["DESK_THREADS"] // 2, 1)
    me = object()
    with _counting:
        has_room = _counting.wait_for(lambda: len(_waiting) < half, MOMENT)
        if has_room:
            _waiting.add(me)
    try:
        yield has_room
    finally:
        with _counting:
            _waiting.discard(me)
            _counting.notify()
