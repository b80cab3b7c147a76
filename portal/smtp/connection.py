"""The connection to the mail server that the settings name, and the mails offered over it."""

import smtplib
import ssl
from base64 import b64encode
from contextlib import suppress
from functools import cache
from typing import Any

import flask_mail
from flask import current_app

from portal.smtp import reply
from portal.smtp.conversation import Conversation, EncryptedConversation
from portal.smtp.departure import Departure
from portal.smtp.message import Message
from portal.smtp.outcome import Failure
from portal.smtp.reply import NotUnderstood

QUIT_SECONDS = 1.0

# RFC 4954, 6: the name or the password is wrong.
WRONG_CREDENTIALS = 535


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
        """Connect. Raises what smtplib raises, but of several noes the one that says why."""
        try:
            self.host = self.configure_host()
        except BaseException as error:
            if conversation := self._departure.conversation:
                conversation.close()
                if isinstance(error, smtplib.SMTPException):
                    raise min([*conversation.noes, error], key=_tells_little) from None
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

    @property
    def secrets(self) -> list[str]:
        """What a server may quote of what it is told while we sign in: RFC 4954, 4, in Base64."""
        if self.step is not Failure.SIGN_IN_REFUSED:
            return []
        name, password = str(self.mail.username), str(self.mail.password)
        told = [password, f"\0{name}\0{password}"]
        return [password, *(b64encode(text.encode()).decode() for text in told)]

    def send(self, message: flask_mail.Message, envelope_from: object = None) -> None:
        """Offer `message`. Raises what smtplib raises."""
        assert isinstance(message, Message)  # noqa: S101 - for the type checker
        assert self.host  # noqa: S101 - for the type checker
        options = []
        if message.needs_utf8:
            is_theirs = not message.to.isascii()
            self.step = Failure.ADDRESS_NOT_SUPPORTED if is_theirs else Failure.SENDER_REFUSED
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


def _tells_little(no: smtplib.SMTPException) -> tuple[bool, bool]:
    """How little it says of why: smtplib tries HELO after EHLO and one way to sign in after the
    other, and what the server says of the last, or that it has left, may hide the reason.

    RFC 5321, 4.2.2: a code of 500 to 504 only says that the server does not know that way.
    """
    code, _words = reply.behind(no)
    return code != WRONG_CREDENTIALS, 500 <= code <= 504


@cache
def _own_name() -> str:
    """How this machine greets: asking what it is called can take seconds."""
    return str(smtplib.SMTP().local_hostname)
