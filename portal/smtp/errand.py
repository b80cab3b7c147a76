"""Handing one mail to the mail server, and saying what came of it in time."""

import smtplib
from threading import Event, Thread

import flask_mail
from flask import Flask, current_app

from portal.quoted_secrets import without_secrets
from portal.smtp import reply
from portal.smtp.connection import QUIT_SECONDS, Connection
from portal.smtp.departure import Departure
from portal.smtp.explanation import explain
from portal.smtp.line import open_line
from portal.smtp.outcome import Failure, Outcome

# What says nothing about a mail. RFC 5321, 3.3: when MAIL is refused, or EHLO was put off, the
# server has not been told for whom it is.
_ABOUT_CONNECTION = (
    smtplib.SMTPServerDisconnected,
    smtplib.SMTPHeloError,
    smtplib.SMTPSenderRefused,
)


def hand_over(message: flask_mail.Message) -> Outcome:
    """Offer `message` to the mail server and say what came of it, within MAIL_TIME_LIMIT seconds
    and one more. Once it has answered, nothing leaves any more.

    The conversation has a thread of its own, because a server that sends one byte now and then, or
    a name server that is silent, would outwait every time-out of a socket. Where a Line is open in
    this thread, the connection is that of the mail before, and is kept for the next.
    """
    line = open_line()
    errand = _Errand(message, line.take() if line else None, keeps=line is not None)
    errand.start()
    if not errand.is_answered.wait(current_app.config["MAIL_TIME_LIMIT"]):
        errand.break_off()
        errand.is_answered.wait(QUIT_SECONDS)
    if line and errand.has_kept:
        line.keep(errand.connection, is_new=errand.has_connected)
    return errand.outcome()


class _Errand(Thread):
    def __init__(
        self, message: flask_mail.Message, kept: Connection | None, *, keeps: bool
    ) -> None:
        super().__init__(name="mail", daemon=True)
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._message = message
        self._keeps = keeps
        self._departure = Departure()
        self.has_connected = kept is None
        self.connection = kept or self._new_connection()
        self._accepted = False
        self._broken_off = False
        self._error: Exception | None = None
        self.is_answered = Event()

    def run(self) -> None:
        try:
            with self._app.app_context():
                self._offer()
            self._accepted = True
        except Exception as error:
            self._error = error
        finally:
            self.is_answered.set()  # nobody waits for the goodbye
        if not (self._keeps and self._accepted):
            self.connection.say_goodbye()

    def _offer(self) -> None:
        if not (self.has_connected or self._offer_over_kept()):
            self.has_connected, self.connection = True, self._new_connection()
        if self.has_connected:
            self.connection.open()
            self.connection.send(self._message)

    def _offer_over_kept(self) -> bool:
        """Offer it over the connection that was kept; False where that is worth nothing any more,
        which the server may say as it likes as long as it has not been told of this mail."""
        try:
            self.connection.attend(self._departure)
            self.connection.send(self._message)
        except OSError as error:
            if self._departure.is_over or not _is_about_connection(error):
                raise
            self.connection.say_goodbye()
            return False
        return True

    def _new_connection(self) -> Connection:
        return Connection(self._app.extensions["mail"], self._departure)

    @property
    def has_kept(self) -> bool:
        """Whether the connection is good for another mail, and nobody else uses or ends it."""
        return self._keeps and self._accepted

    def break_off(self) -> None:
        """End the conversation from outside; the thread then ends by itself."""
        self._broken_off = True
        self._departure.call_off()

    def outcome(self) -> Outcome:
        if self._accepted:
            return Outcome(accepted=True)
        error, has_left = self._error, self._departure.mail_has_left
        failure, answer = Failure.TIME_OUT, None
        if error and (not self._broken_off or _is_answer(error)):
            failure, answer = explain(error, self._departure.conversation, self.connection.step)
            answer = without_secrets(answer, self.connection.secrets)
        accepted = None if has_left and not _is_answer(error) else False
        return Outcome(accepted, failure, answer)


def _is_answer(error: Exception | None) -> bool:
    """Whether the mail server itself said no; after that it has no mail of ours."""
    return error is not None and reply.behind(error)[0] >= reply.LEAST_NO


def _is_about_connection(error: OSError) -> bool:
    """Whether this says nothing about the mail: the server has gone, or takes no more here."""
    if isinstance(error, _ABOUT_CONNECTION) or reply.behind(error)[0] == reply.LEAVES:
        return True
    return not isinstance(error, smtplib.SMTPException)  # but of the socket
