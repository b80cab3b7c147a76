"""A worker's mails share a connection, and each of them arrives once, however a server leaves."""

from time import monotonic

import pytest

from portal import smtp
from portal.smtp import line as lines
from portal.smtp.outcome import Failure
from tests.support.faulty_mail_server import PATIENCE

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def line(app):
    with smtp.Line() as line:
        yield line


def send(count, to="kim@example.com"):
    """Hand over so many mails one after the other; their outcomes."""
    return [
        smtp.hand_over(smtp.Message(f"Mail {number}", [to], "Hello.", "<p>Hello.</p>"))
        for number in range(count)
    ]


def subjects(server):
    return [message["Subject"] for message in server.messages]


def test_twenty_mails_take_one_connection(line, mail_server):
    server = mail_server()
    assert all(outcome.accepted for outcome in send(20))
    assert subjects(server) == [f"Mail {number}" for number in range(20)]
    assert server.connections == 1
    assert server.commands.count("quit") == 0
    line.hang_up()
    assert server.commands.count("quit") == 1


def test_where_no_line_is_open_each_mail_has_a_connection_of_its_own(app, mail_server):
    server = mail_server()
    send(3)
    assert server.connections == 3


@pytest.mark.parametrize("farewell", ["", "421 4.7.0 Too many", "451 4.7.0 Enough", "550 Enough"])
@pytest.mark.parametrize("patience", [1, 3])
def test_a_server_that_takes_few_mails_over_a_connection_gets_each_once(
    line, mail_server, patience, farewell
):
    server = mail_server(patience=patience, farewell=farewell)
    assert all(outcome.accepted for outcome in send(7))
    assert subjects(server) == [f"Mail {number}" for number in range(7)]
    assert server.connections == -(-7 // patience)


def test_a_fresh_connection_is_due_after_many_mails(line, mail_server, monkeypatch):
    monkeypatch.setattr(lines, "MOST_MAILS", 5)
    server = mail_server()
    send(20)
    assert server.connections == 4


def test_a_line_that_is_idle_is_not_kept(line, mail_server, monkeypatch):
    server = mail_server()
    send(1)
    line.hang_up_when_idle()
    assert "quit" not in server.commands
    monkeypatch.setattr(lines, "LONGEST_IDLE", 0)
    line.hang_up_when_idle()
    assert "quit" in server.commands


@pytest.mark.parametrize(
    ("at", "fault", "accepted", "failure"),
    [
        ("RCPT", {"answer": "550 5.1.1 No"}, False, Failure.ADDRESS_REFUSED),
        ("RCPT", {"answer": "451 4.3.0 Later"}, False, Failure.TRY_LATER),
        ("BODY", {"answer": "554 5.7.1 Spam"}, False, Failure.MAIL_REFUSED),
        ("BODY", {"does": "drop"}, None, Failure.DROPPED),
        ("BODY", {"does": "silence"}, None, Failure.TIME_OUT),
        ("RCPT", {"does": "silence"}, False, Failure.TIME_OUT),
        ("RCPT", {"does": "drop"}, False, Failure.DROPPED),
    ],
)
def test_what_went_wrong_over_a_kept_connection_is_said_as_over_a_fresh_one(
    app, line, mail_server, at, fault, accepted, failure
):
    server = mail_server()
    send(2)
    server.at, server.answer, server.does = at, fault.get("answer"), fault.get("does")
    app.config["MAIL_TIME_LIMIT"] = PATIENCE
    begun = monotonic()
    (outcome,) = send(1)
    assert monotonic() - begun < PATIENCE + 5
    assert (outcome.accepted, outcome.failure) == (accepted, failure)
    assert len(server.messages) == (3 if at == "BODY" else 2)

    server.at = server.answer = server.does = None
    assert send(1)[0].accepted


def test_a_server_that_leaves_when_it_hears_of_the_recipient_is_called_anew(line, mail_server):
    server = mail_server(at="RCPT", first=["250 OK"], answer="421 4.7.0 Too many")
    (first, second) = send(2)
    assert first.accepted
    assert (second.failure, second.answer) == (Failure.TRY_LATER, "421 4.7.0 Too many")
    assert server.connections == 2
