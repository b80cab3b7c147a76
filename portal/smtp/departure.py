"""Whether a mail may still leave, and whether it has."""

import smtplib
import socket
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.smtp.conversation import Conversation


class Departure:
    """Whether a mail may still leave and whether it has: decided in one place for two threads, the
    one that speaks to the mail server and the one that waits for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_called_off = False
        self.mail_has_left = False
        self.conversation: Conversation | None = None

    def allow(self, *, mail: bool) -> None:
        """Say before bytes go out that they do, and whether they end the mail."""
        with self._lock:
            if self._is_called_off:
                raise smtplib.SMTPServerDisconnected("We broke the conversation off.")
            self.mail_has_left = mail or self.mail_has_left

    @property
    def is_over(self) -> bool:
        """Whether nothing may leave any more, or the mail has: not to be offered once more."""
        return self._is_called_off or self.mail_has_left

    def call_off(self) -> None:
        """Let nothing more go out, and end the conversation, which may be waiting for a byte."""
        with self._lock:
            self._is_called_off = True
        sock = self.conversation and self.conversation.sock
        if sock:
            with suppress(OSError):  # already gone
                # Not TLS's own, which makes a plain socket of it first: what the other thread says
                # at this moment would go out as it is.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
