"""A mail server that misbehaves exactly as told."""

import random
import re
import socket
from contextlib import ExitStack, suppress
from threading import Event, Thread

import pytest

from tests.support.mail_servers import Mailbox, loopback_socket

STEPS = {  # and what an ordinary server answers there
    "CONNECT": "220 mail.example ESMTP",
    "EHLO": "250-mail.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN",
    "AUTH": "235 2.7.0 Welcome",
    "MAIL": "250 2.1.0 OK",
    "RCPT": "250 2.1.5 OK",
    "DATA": "354 Go ahead",
    "MIDDLE": "",  # after the mail's first line
    "BODY": "250 2.0.0 Accepted",  # after the mail's last dot
    "QUIT": "221 2.0.0 Bye",
}
DEEDS = ("refuse", "drop", "reset", "break", "silence", "drip")

# How long a mail may take to be sent when the server under test never answers, in seconds: long
# enough for all that comes before it falls silent, on a busy machine.
PATIENCE = 1.5


class FaultyMailServer(Mailbox):
    """An SMTP server on a free loopback port that does one thing wrong, at one of the STEPS.

    It either says `answer` there, such as '550 5.1.1 No such user', or `does` one of

        'refuse'   nobody listens at the port (CONNECT alone)
        'drop'     ends the connection
        'reset'    ends the connection rudely
        'break'    ends the connection in the middle of a no
        'silence'  never answers, and keeps the connection
        'drip'     answers one byte `every` second or so that never become a line

    `first` is what it says there before that, one after the other, such as to what a client tries
    before.

    `farewell` is how it takes leave after `patience` mails over one connection: it answers that to
    the next MAIL, or ends the connection without a word where it is ''.

    Without a fault it is an ordinary server. `connections` counts who came; `commands` are the
    lines it was told, `messages` the mails whose last dot it has seen, whatever it answered to
    that.
    """

    def __init__(
        self, at=None, *, answer=None, does=None, first=(), every=1.0, patience=None, farewell=""
    ):
        super().__init__()
        assert at is None or at in STEPS, f"{at} is none of {list(STEPS)}"
        assert does is None or does in DEEDS, f"{does} is none of {DEEDS}"
        assert (at is not None) == bool(answer) ^ bool(does), "one fault at one step"
        assert does != "refuse" or at == "CONNECT"
        assert not first or at is not None, "what it says first it says at a step"
        assert not answer or at != "MIDDLE", "a server answers when it has seen the last dot"
        self.at, self.answer, self.does, self.every = at, answer, does, every
        self.first = list(first)
        self.patience, self.farewell = patience, farewell
        self.commands = []
        self.connections = 0
        self.closing = Event()
        self._listener = loopback_socket()
        self.host, self.port = self._listener.getsockname()
        self._connections = []
        self._threads = []

    def fault(self, step):
        """What goes wrong at `step` this time: an answer and a deed, None where nothing does."""
        if step != self.at:
            return None, None
        return (self.first.pop(0), None) if self.first else (self.answer, self.does)

    def __enter__(self):
        if self.does != "refuse":
            self._listener.listen()
            self._start(self._accept)
        return self

    def __exit__(self, *_error):
        self.closing.set()
        for open_socket in [self._listener, *self._connections]:
            with suppress(OSError):  # it may have gone by itself
                open_socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target, *arguments):
        thread = Thread(target=target, args=arguments, name="faulty mail server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        with suppress(OSError):  # the listener was shut down
            while True:
                connection, _address = self._listener.accept()
                self._connections.append(connection)
                self.connections += 1
                self._start(self._converse, connection)

    def _converse(self, connection):
        with connection, suppress(OSError, EOFError):
            _Conversation(self, connection).run()


class FlakyMailServer(FaultyMailServer):
    """One that fails with a third of the mails, each time in another way, after some of them in a
    way that leaves open whether it has the mail, which it then has. None fails for good."""

    def fault(self, step):
        if random.random() < {"RCPT": 1 / 6, "BODY": 1 / 5}.get(step, 0):
            return random.choice([("451 4.3.0 Try again later", None), (None, "drop")])
        return None, None


class _Conversation:
    """One client's conversation; EOFError ends it."""

    def __init__(self, server, connection):
        self._server = server
        self._connection = connection
        self._lines = connection.makefile("rb")
        self._sender, self._recipients = "", []
        self._mails = 0

    def run(self):
        self._answer("CONNECT")
        while True:
            command = self._read().decode(errors="replace").strip()  # or it is TLS
            self._server.commands.append(command)
            self._obey(command)

    def _obey(self, command):
        verb = command[:4].upper().replace("HELO", "EHLO")
        if verb == "MAIL" and self._mails == self._server.patience:
            self._say(self._server.farewell)
            return
        accepted = verb in STEPS and self._answer(verb)
        if verb == "MAIL" and accepted:
            self._sender, self._recipients = _address(command), []
        elif verb == "RCPT" and accepted:
            self._recipients.append(_address(command))
        elif verb == "DATA" and accepted:
            self._take_mail()
        elif verb == "QUIT":
            raise EOFError
        elif verb not in STEPS:  # RSET, NOOP
            self._say("250 2.0.0 OK")

    def _take_mail(self):
        lines = [self._read()]
        self._answer("MIDDLE")
        while (line := self._read()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        self._server.put(b"".join(lines), self._sender, self._recipients)
        self._answer("BODY")
        self._mails += 1
        if self._mails == self._server.patience and not self._server.farewell:
            raise EOFError

    def _read(self):
        line = self._lines.readline()
        if not line:
            raise EOFError
        return line

    def _answer(self, step):
        """Answer as the server was told to, and return whether that was a yes."""
        said, does = self._server.fault(step)
        if does:
            self._misbehave(does)
        answer = said or STEPS[step]
        if answer:
            self._say(answer)
        return answer[:1] in ("2", "3")

    def _say(self, answer):
        self._connection.sendall(f"{answer}\r\n".encode())
        if answer.startswith("421"):  # RFC 5321, 3.8: after this one the server leaves
            raise EOFError

    def _misbehave(self, does):
        server, connection = self._server, self._connection
        if does == "reset":
            no_time = b"\1\0\0\0\0\0\0\0"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_time)
        elif does == "break":
            connection.sendall(b"550 5.1")
        elif does == "silence":
            while connection.recv(65536):
                pass  # the client may talk on; it leaves one day, or we close
        elif does == "drip":
            while not server.closing.wait(server.every):
                connection.sendall(b"2")
        raise EOFError


def _address(command):
    return re.search(r"<(.*?)>", command).group(1)


@pytest.fixture
def mail_server(app):
    """Let the mail of `app` go to a mail server with a fault, in place of `mailbox`.

    >>> mail_server(at="RCPT", answer="550 5.1.1 No such user")
    >>> mail_server(at="BODY", does="silence")
    >>> mail_server()  # and now it works again
    """
    with ExitStack() as servers:

        def begin(at=None, **fault):
            server = servers.enter_context(FaultyMailServer(at, **fault))
            app.config["MAIL_PORT"] = app.extensions["mail"].port = server.port
            if server.does in ("silence", "drip"):
                app.config["MAIL_TIME_LIMIT"] = PATIENCE
            return server

        yield begin
