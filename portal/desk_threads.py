"""How many of the threads that answer people wait for the mail server at once.

It may be silent for as long as MAIL_TIME_LIMIT says, and a process has few threads. Half of them
wait for it at most: the others answer whoever looks for an order, or presses Send as well, whose
e-mail the worker sends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from flask import current_app

# Seconds that a thread waits for room: a mail server that is well takes no longer.
MOMENT = 1.0


@contextmanager
def room_at_mail_server() -> Iterator[bool]:
    """Whether you may speak to the mail server inside the block. Have no transaction open: this may
    take a moment."""
    room = _room(current_app.config["DESK_THREADS"])
    has_room = room.acquire(timeout=MOMENT)
    try:
        yield has_room
    finally:
        if has_room:
            room.release()


@cache
def _room(threads: int) -> BoundedSemaphore:
    return BoundedSemaphore(max(threads // 2, 1))
