"""A conversation with the mail server, and what it knows of the mail that is its subject."""

import binascii
import smtplib
from typing import Any

from portal.smtp import reply
from portal.smtp.departure import Departure
from portal.smtp.reply import NotUnderstood


class Conversation(smtplib.SMTP):
    """An SMTP client for one mail at a time, which tells its `departure` when the mail leaves."""

    last_reply: tuple[int, bytes] = (0, b"")

    def __init__(self, departure: Departure, *args: Any, **kwargs: Any) -> None:
        self._departure = departure
        self.noes: list[smtplib.SMTPException] = []  # after which smtplib tries another way
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

    def ehlo(self, name: str = "") -> tuple[int, bytes]:
        code, words = super().ehlo(name)
        if code >= reply.LEAST_NO:
            self.noes.append(smtplib.SMTPHeloError(code, words))
        return code, words

    def has_extn(self, opt: str) -> bool:
        """Whether the server can do that. Raises SMTPHeloError where it has put off to say so, and
        was only greeted by HELO: RFC 5321, 4.2.1, it may well say so the next time."""
        for no in self.noes:
            if isinstance(no, smtplib.SMTPHeloError) and no.smtp_code < reply.LEAST_FINAL:
                raise no
        return super().has_extn(opt)

    def auth(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        try:
            return super().auth(*args, **kwargs)
        except smtplib.SMTPAuthenticationError as no:
            self.noes.append(no)
            raise
        except binascii.Error:  # RFC 4954, 4: what it asks for is Base64
            raise NotUnderstood(self.last_reply[1]) from None

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


def _yes_is_250(answer: tuple[int, bytes]) -> tuple[int, bytes]:
    """RFC 5321, 4.2.1: any 2xx is a yes; smtplib takes 250 alone for one."""
    code, words = answer
    return (250 if 200 <= code < 300 else code), words
