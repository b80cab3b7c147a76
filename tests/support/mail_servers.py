"""A real mail server, which takes every mail, and what arrived at it."""

import email
import email.policy
import socket
from email.message import EmailMessage
from threading import Condition

import pytest
from aiosmtpd.controller import Controller


class ReceivedMail(EmailMessage):
    """A mail as it arrived: `sender` and `recipients` are the envelope's, `raw` every byte."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def plain(self):
        """The text of the plain part, its lines ending as Python's do."""
        return self._text("plain")

    @property
    def html(self):
        """The text of the HTML part, its lines ending as Python's do."""
        return self._text("html")

    def _text(self, kind):
        return self.get_body((kind,)).get_content().replace("\r\n", "\n")


class Mailbox:
    """What arrived, oldest first."""

    def __init__(self):
        self._arrival = Condition()
        self._messages = []

    @property
    def messages(self):
        """All mails so far, as `ReceivedMail`."""
        with self._arrival:
            return list(self._messages)

    @property
    def empty(self):
        """Whether nothing has arrived."""
        return not self.messages

    def wait_for(self, count, seconds=10):
        """Wait until `count` mails have arrived, and return all."""
        with self._arrival:
            came = self._arrival.wait_for(lambda: len(self._messages) >= count, seconds)
            assert came, f"{len(self._messages)} of {count} mails arrived in {seconds} seconds"
            return list(self._messages)

    def put(self, raw, sender, recipients):
        """Take in one mail."""
        policy = email.policy.default.clone(message_factory=ReceivedMail)
        message = email.message_from_bytes(raw, policy=policy)
        message.raw, message.sender, message.recipients = raw, sender, list(recipients)
        with self._arrival:
            self._messages.append(message)
            self._arrival.notify_all()


class MailServer(Mailbox):
    """A real SMTP server on a free loopback port that accepts every mail."""

    def __init__(self):
        super().__init__()
        self._listener = loopback_socket()
        self.host, self.port = self._listener.getsockname()
        self._controller = _Controller(self, self._listener)

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *_error):
        self._controller.stop()

    async def handle_DATA(self, _server, _session, envelope):
        self.put(envelope.original_content, envelope.mail_from, envelope.rcpt_tos)
        return "250 2.0.0 Accepted"


class _Controller(Controller):
    """Takes a socket that is open already: no other process can take its port in between."""

    def __init__(self, mailbox, listener):
        host, port = listener.getsockname()
        super().__init__(mailbox, hostname=host, port=port, enable_SMTPUTF8=True)
        self._listener = listener

    def _create_server(self):
        return self.loop.create_server(self._factory_invoker, sock=self._listener)


def loopback_socket():
    """A socket bound to a free port of this machine, not listening yet."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


@pytest.fixture
def mailbox():
    """The mail server the application sends to, and what it got."""
    with MailServer() as server:
        yield server
