"""Speaking to the mail server, through Flask-Mail, within a time limit.

What Flask-Mail lacks is added here and nowhere else: a limit on the whole conversation, verified
TLS, bodies that survive every mail server, and a third answer beside "sent" and "not sent": that
nobody knows.
"""

import logging
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.charset import QP, Charset
from email.mime.text import MIMEText
from enum import StrEnum
from threading import Thread
from types import TracebackType

import flask_mail
from flask import Flask, current_app
from flask_babel import gettext as _

log = logging.getLogger(__name__)

# Each step may take this long, the whole conversation MAIL_TIME_LIMIT.
QUIT_SECONDS = 1.0

_UTF8_QUOTED = Charset("utf-8")
_UTF8_QUOTED.body_encoding = QP


class Failure(StrEnum):
    """Why an e-mail was not accepted."""

    ADDRESS_REFUSED = "address_refused"
    SENDER_REFUSED = "sender_refused"
    MAIL_REFUSED = "mail_refused"
    TRY_LATER = "try_later"
    UNREACHABLE = "unreachable"
    TIME_OUT = "time_out"
    DROPPED = "dropped"
    SIGN_IN_REFUSED = "sign_in_refused"
    NOT_ENCRYPTED = "not_encrypted"
    UNEXPECTED = "unexpected"

    @property
    def sentence(self) -> str:
        """The reason, and what to do about it, for the person who pressed Send."""
        return _failure_sentences()[self]


def _failure_sentences() -> dict[Failure, str]:
    return {
        Failure.ADDRESS_REFUSED: _(
            "The mail server refused the address. Check it with the customer."
        ),
        Failure.SENDER_REFUSED: _("The mail server refused our sender address. Tell an operator."),
        Failure.MAIL_REFUSED: _("The mail server refused the e-mail. Tell an operator."),
        Failure.TRY_LATER: _(
            "The mail server asked to try again later. Try again in some minutes."
        ),
        Failure.UNREACHABLE: _("The mail server could not be reached. Try again in some minutes."),
        Failure.TIME_OUT: _("The mail server did not answer in time. Try again in some minutes."),
        Failure.DROPPED: _("The mail server broke the connection off. Try again in some minutes."),
        Failure.SIGN_IN_REFUSED: _("The mail server refused our sign-in. Tell an operator."),
        Failure.NOT_ENCRYPTED: _(
            "The connection to the mail server could not be encrypted. Tell an operator."
        ),
        Failure.UNEXPECTED: _("Something unexpected went wrong. Tell an operator."),
    }


@dataclass(frozen=True)
class Outcome:
    """What became of a mail: accepted, refused for `failure`, or unknown (accepted is None).

    `answer` is what the mail server said, such as '550 5.1.1 No such user'.
    """

    accepted: bool | None
    failure: Failure | None = None
    answer: str | None = None


class Message(flask_mail.Message):
    """A mail whose bodies are quoted-printable, so that a long license line arrives unbroken.

    RFC 5321, 4.5.3.1.6: a mail server need not take lines of more than 998 characters.
    """

    def _mimetext(self, text: str | None, subtype: str = "plain") -> MIMEText:
        part = MIMEText("", _subtype=subtype, _charset="us-ascii")
        del part["Content-Transfer-Encoding"], part["MIME-Version"], part["Content-Type"]
        part.add_header("MIME-Version", "1.0")
        part.add_header("Content-Type", f"text/{subtype}")
        part.set_payload(text or "", _UTF8_QUOTED)
        return part


class Conversation(smtplib.SMTP):
    """An SMTP client that remembers whether a whole mail has left it."""

    mail_has_left = False

    def send(self, s: bytes | str) -> None:  # type: ignore[override]
        super().send(s)
        # `data()` sends the mail with its final dot in one call; from there on only the
        # server knows whether the mail was accepted.
        if isinstance(s, bytes) and s.endswith(b"\r\n.\r\n"):
            self.mail_has_left = True


class EncryptedConversation(Conversation, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class Connection(flask_mail.Connection):
    """Flask-Mail's connection, with time limits and verified certificates."""

    def configure_host(self) -> smtplib.SMTP:
        mail, limit = self.mail, current_app.config["MAIL_TIME_LIMIT"]
        port = mail.port or 0
        tls = ssl.create_default_context()
        host: Conversation
        if mail.use_ssl:
            host = EncryptedConversation(mail.server, port, timeout=limit, context=tls)
        else:
            host = Conversation(mail.server, port, timeout=limit)
        self.host = host
        if mail.use_tls:
            host.starttls(context=tls)
        if mail.username and mail.password:
            host.login(mail.username, mail.password)
        return host

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Say goodbye, if that is quick: how the server takes it says nothing about the mail."""
        if self.host is None or self.host.sock is None:
            return
        try:
            self.host.sock.settimeout(QUIT_SECONDS)
            self.host.quit()
        except (OSError, smtplib.SMTPException):
            self.host.close()


def hand_over(message: flask_mail.Message) -> Outcome:
    """Offer `message` to the mail server and say what came of it, within MAIL_TIME_LIMIT seconds.

    The conversation has a thread of its own, because a server that sends one byte now and then, or
    a name server that is silent, would outwait every time-out of a socket.
    """
    errand = _Errand(message)
    errand.start()
    errand.join(current_app.config["MAIL_TIME_LIMIT"])
    if errand.is_alive():
        errand.break_off()
        errand.join(QUIT_SECONDS)
    return errand.outcome()


class _Errand(Thread):
    def __init__(self, message: flask_mail.Message) -> None:
        super().__init__(name="mail", daemon=True)
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._message = message
        self._connection: Connection | None = None
        self._accepted = False
        self._broken_off = False
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            with self._app.app_context():
                self._connection = Connection(self._app.extensions["mail"])
                with self._connection as connection:
                    connection.send(self._message)
                    self._accepted = True
        except Exception as error:
            self._error = error

    def break_off(self) -> None:
        """End the conversation from outside; the thread then ends by itself."""
        self._broken_off = True
        host = self._connection and self._connection.host
        if host and host.sock:
            with suppress(OSError):  # already gone
                host.sock.shutdown(socket.SHUT_RDWR)

    def outcome(self) -> Outcome:
        if self._accepted:
            return Outcome(accepted=True)
        failure, answer = (Failure.TIME_OUT, None) if self._broken_off else _explain(self._error)
        host = self._connection and self._connection.host
        silent = failure in (Failure.TIME_OUT, Failure.DROPPED)
        if silent and getattr(host, "mail_has_left", False):
            return Outcome(None, failure, answer)
        return Outcome(False, failure, answer)


def _explain(error: Exception | None) -> tuple[Failure, str | None]:
    """The failure that `error` means, and the server's own words where it said any."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        (code, words), *_rest = error.recipients.values()
        return _by_code(code, Failure.ADDRESS_REFUSED), _answer(code, words)
    if isinstance(error, smtplib.SMTPResponseException):
        code = error.smtp_code
        answer = _answer(code, error.smtp_error)
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return _by_code(code, Failure.SIGN_IN_REFUSED), answer
        if isinstance(error, smtplib.SMTPSenderRefused):
            return _by_code(code, Failure.SENDER_REFUSED), answer
        if isinstance(error, smtplib.SMTPDataError):
            return _by_code(code, Failure.MAIL_REFUSED), answer
        if isinstance(error, smtplib.SMTPConnectError):
            return _by_code(code, Failure.UNREACHABLE), answer
        return _by_code(code, Failure.MAIL_REFUSED), answer
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return Failure.NOT_ENCRYPTED, str(error)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        # smtplib wraps the time-out of a read in this one
        timed_out = isinstance(error.__context__, TimeoutError)
        return (Failure.TIME_OUT if timed_out else Failure.DROPPED), None
    if isinstance(error, TimeoutError):
        return Failure.TIME_OUT, None
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return Failure.DROPPED, None
    if isinstance(error, OSError):
        return Failure.UNREACHABLE, error.strerror or str(error)
    log.error("An e-mail could not be sent", exc_info=error)
    return Failure.UNEXPECTED, None


def _by_code(code: int, final: Failure) -> Failure:
    return Failure.TRY_LATER if 400 <= code < 500 else final


def _answer(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {text}".strip()
