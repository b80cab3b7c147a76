"""A connection to the mail server that a thread of the worker keeps from one mail to the next."""

from threading import local
from time import monotonic
from typing import Self

from portal.smtp.connection import Connection

# After so many mails it is a fresh connection's turn: some mail servers take no more on one.
MOST_MAILS = 50
# Mail servers hang up after some minutes; nobody keeps one of their lines busy as long, in seconds.
LONGEST_IDLE = 15.0

_of_this_thread = local()


class Line:
    """While it is open in a thread, mails that this thread hands over share a connection."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._mails = 0
        self._idle_since = 0.0

    def __enter__(self) -> Self:
        _of_this_thread.line = self
        return self

    def __exit__(self, *_error: object) -> None:
        _of_this_thread.line = None
        self.hang_up()

    def take(self) -> Connection | None:
        """The connection that was kept, for one more mail; it is the taker's from now on."""
        self.hang_up_when_idle()
        connection, self._connection = self._connection, None
        return connection

    def keep(self, connection: Connection, *, is_new: bool) -> None:
        """Keep the connection over which the mail server has just accepted a mail."""
        self._mails = 1 if is_new else self._mails + 1
        self._connection, self._idle_since = connection, monotonic()
        if self._mails >= MOST_MAILS:
            self.hang_up()

    def hang_up_when_idle(self) -> None:
        """End the connection if there was nothing to send for a while."""
        if monotonic() - self._idle_since >= LONGEST_IDLE:
            self.hang_up()

    def hang_up(self) -> None:
        """End the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection:
            connection.say_goodbye()


def open_line() -> Line | None:
    """The line that is open in this thread, if any."""
    return getattr(_of_this_thread, "line", None)
