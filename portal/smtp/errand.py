"""Handing one mail to the mail server, and saying what came of it in time."""

import smtplib
from threading import Event, Thread

import flask_mail
from flask import Flask, current_app

from portal.smtp.conversation import QUIT_SECONDS, Connection, Departure
from portal.smtp.explanation import explain
from portal.smtp.outcome import Failure, Outcome


def hand_over(message: flask_mail.Message) -> Outcome:
    """Offer `message` to the mail server and say what came of it, within MAIL_TIME_LIMIT seconds
    and one more. Once it has answered, nothing leaves any more.

    The conversation has a thread of its own, because a server that sends one byte now and then, or
    a name server that is silent, would outwait every time-out of a socket.
    """
    errand = _Errand(message)
    errand.start()
    if not errand.is_answered.wait(current_app.config["MAIL_TIME_LIMIT"]):
        errand.break_off()
        errand.is_answered.wait(QUIT_SECONDS)
    return errand.outcome()


class _Errand(Thread):
    def __init__(self, message: flask_mail.Message) -> None:
        super().__init__(name="mail", daemon=True)
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._message = message
        self._departure = Departure()
        self._connection = Connection(self._app.extensions["mail"], self._departure)
        self._accepted = False
        self._broken_off = False
        self._error: Exception | None = None
        self.is_answered = Event()

    def run(self) -> None:
        try:
            with self._app.app_context(), self._connection as connection:
                connection.send(self._message)
                self._accepted = True
                self.is_answered.set()  # nobody waits for the goodbye
        except Exception as error:
            self._error = error
        finally:
            self.is_answered.set()

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
            failure, answer = explain(error, self._departure.conversation, self._connection.step)
        accepted = None if has_left and not _is_answer(error) else False
        return Outcome(accepted, failure, answer)


def _is_answer(error: Exception | None) -> bool:
    """Whether the mail server itself said no; after that it has no mail of ours."""
    if isinstance(error, smtplib.SMTPResponseException):
        return 400 <= error.smtp_code < 600
    return isinstance(error, smtplib.SMTPRecipientsRefused)
