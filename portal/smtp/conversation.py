"""A conversation with the mail server, and what it knows of the mail that is its subject."""

import smtplib
import socket
import ssl
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any

import flask_mail
from flask import current_app

from portal.smtp import reply
from portal.smtp.message import Message
from portal.smtp.outcome import Failure
from portal.smtp.reply import NotUnderstood

QUIT_SECONDS = 1.0


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


class Conversation(smtplib.SMTP):
    """An SMTP client for one mail at a time, which tells its `departure` when the mail leaves."""

    last_reply: tuple[int, bytes] = (0, b"")

    def __init__(self, departure: Departure, *args: Any, **kwargs: Any) -> None:
        self._departure = departure
        departure.conversation = self  # before it connects, which may take for ever
        super().__init__(*args, **kwargs)

    def attend(self, departure: Departure) -> None:
        """Turn to another mail."""
        self._departure, self.last_reply = departure, (0, b"")
        departure.conversation = self

    def send(self, s: bytes | str) -> None:  # type: ignore[override]
        # `data()` sends the mail with its final dot in one call. Once all of it has been handed
        # over, only the server knows whether the mail was accepted.
        mail = isinstance(s, bytes) and s.endswith(b"\r\n.\r\n")
        if mail and self.has_more_to_say():
            raise NotUnderstood(b"")  # it would be taken for what becomes of the mail
        self._departure.allow(mail=mail)
        try:
            super().send(s)
        except BaseException:
            if mail:  # its end never went out, so no server can have accepted it
                self._departure.mail_has_left = False
            raise

    def getreply(self) -> tuple[int, bytes]:
        assert self.sock  # noqa: S101 - for the type checker
        file = self.file = self.file or self.sock.makefile("rb")
        try:
            self.last_reply = reply.read(file)
        except OSError as error:
            self.close()
            if isinstance(error, smtplib.SMTPServerDisconnected):
                raise
            raise smtplib.SMTPServerDisconnected(str(error)) from error
        return self.last_reply

    def has_more_to_say(self) -> bool:
        """Whether the mail server has said something that nobody has read."""
        if self.sock is None or self.file is None:
            return False
        waits = self.sock.gettimeout()
        self.sock.settimeout(0)
        try:
            return bool(self.file.peek(1))
        except OSError:  # nothing, over TLS, or it has gone
            return False
        finally:
            self.sock.settimeout(waits)

    def mail(self, sender: str, options: Any = ()) -> tuple[int, bytes]:
        return _yes_is_250(super().mail(sender, options))

    def rcpt(self, recip: str, options: Any = ()) -> tuple[int, bytes]:
        return _yes_is_250(super().rcpt(recip, options))

    def data(self, msg: Any) -> tuple[int, bytes]:
        return _yes_is_250(super().data(msg))

    def rset(self) -> tuple[int, bytes]:
        """Nothing: after a no there is no second mail over this connection, and waiting for the
        answer could hide the no."""
        return 250, b""


class EncryptedConversation(Conversation, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class Connection(flask_mail.Connection):
    """Flask-Mail's connection, with time limits and verified certificates.

    `step` is what it means when the mail server says no for good where the conversation is now.
    """

    host: Conversation | None

    def __init__(self, mail: flask_mail.Mail, departure: Departure) -> None:
        super().__init__(mail)
        self._departure = departure
        self.step = Failure.NOT_WELCOME

    def open(self) -> None:
        """Connect. Raises what smtplib raises."""
        try:
            self.host = self.configure_host()
        except BaseException:
            if self._departure.conversation:
                self._departure.conversation.close()
            raise

    def attend(self, departure: Departure) -> None:
        """Turn to another mail, over the connection that is open. Raises NotUnderstood."""
        assert self.host  # noqa: S101 - for the type checker
        self._departure = departure
        self.host.attend(departure)
        if self.host.has_more_to_say():
            raise NotUnderstood(b"")  # whatever we say, that would be taken for the answer

    def configure_host(self) -> Conversation:
        mail = self.mail
        where: dict[str, Any] = {
            "host": mail.server,
            "port": mail.port or 0,
            "local_hostname": _own_name(),
            "timeout": current_app.config["MAIL_TIME_LIMIT"],
        }
        if mail.use_ssl:
            tls = ssl.create_default_context()
            host: Conversation = EncryptedConversation(self._departure, **where, context=tls)
        else:
            host = Conversation(self._departure, **where)
        self.host = host
        host.ehlo_or_helo_if_needed()
        if mail.use_tls:
            self.step = Failure.NOT_ENCRYPTED
            host.starttls(context=ssl.create_default_context())
        if mail.username and mail.password:
            self.step = Failure.SIGN_IN_REFUSED
            host.login(mail.username, mail.password)
        return host

    def send(self, message: flask_mail.Message, envelope_from: object = None) -> None:
        """Offer `message`. Raises what smtplib raises."""
        assert isinstance(message, Message)  # noqa: S101 - for the type checker
        assert self.host  # noqa: S101 - for the type checker
        options = []
        if message.needs_utf8:
            self.step = Failure.ADDRESS_NOT_SUPPORTED
            self.host.ehlo_or_helo_if_needed()
            if not self.host.has_extn("smtputf8"):
                raise smtplib.SMTPNotSupportedError
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        self.host.sendmail(message.sender[1], [message.to], message.as_bytes(), options)

    def say_goodbye(self) -> None:
        """Say goodbye, if that is quick: how the server takes it says nothing about the mail."""
        if self.host is None or self.host.sock is None:
            return
        with suppress(OSError):
            self.host.sock.settimeout(QUIT_SECONDS)
            self.host.putcmd("quit")
            self.host.sock.recv(1)  # a whole line may take for ever
        self.host.close()


def _yes_is_250(answer: tuple[int, bytes]) -> tuple[int, bytes]:
    """RFC 5321, 4.2.1: any 2xx is a yes; smtplib takes 250 alone for one."""
    code, words = answer
    return (250 if 200 <= code < 300 else code), words


@cache
def _own_name() -> str:
    """How this machine greets: asking what it is called can take seconds."""
    return str(smtplib.SMTP().local_hostname)
