"""What is no reply of the mail server, or none to what it was told, is not taken for one."""

from threading import Timer

import pytest

from portal import smtp
from portal.smtp.outcome import Failure

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

STEPS = ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY"]


@pytest.fixture
def send(app):
    app.extensions["mail"].username, app.extensions["mail"].password = "keydesk", "secret"
    return lambda: smtp.hand_over(smtp.Message("Hello", ["kim@example.com"], "Hello.", None))


def assert_nobody_answered(outcome, step):
    assert outcome.failure is Failure.NOT_UNDERSTOOD
    assert outcome.accepted is (None if step == "BODY" else False)
    assert outcome.failure.is_temporary


@pytest.mark.parametrize(
    "said",
    [
        f"250 {9_000 * 'x'}",
        f"550 {9_000 * 'x'}",
        "hello there",
        " ",
        "25 OK",
        "199 Hm",
        "600 Hm",
        "550-No\r\n250 Yes",
        "250-Yes\r\n550 No",
        "550-No\r\nhello",
        "\r\n".join([*["550-" + 1_000 * "x"] * 80, "550 No"]),
    ],
    ids=[
        "long yes", "long no", "words", "blank", "short", "199", "600", "no and yes", "yes and no",
        "no and words", "endless",
    ],
)  # fmt: skip
@pytest.mark.parametrize("step", STEPS)
def test_what_is_no_reply_answers_nothing(mail_server, send, step, said):
    mail_server(at=step, answer=said)
    assert_nobody_answered(send(), step)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("CONNECT", "250 Hello"),
        ("AUTH", "250 Fine"),
        ("AUTH", "334 Go ahead"),
        ("MAIL", "354 Go ahead"),
        ("RCPT", "354 Go ahead"),
        ("DATA", "250 Fine"),
        ("BODY", "354 Go ahead"),
    ],
)
def test_a_yes_to_something_else_answers_nothing(mail_server, send, step, said):
    mail_server(at=step, answer=said)
    assert_nobody_answered(send(), step)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "BODY"])
def test_a_yes_by_another_number_is_a_yes(mail_server, send, step):
    mail_server(at=step, answer="252 2.0.0 I shall try")
    assert send().accepted


def test_what_was_said_before_the_end_of_a_mail_is_not_about_it(mail_server, send):
    server = mail_server(at="DATA", answer="354 Go ahead\r\n250 Accepted")
    assert_nobody_answered(send(), "DATA")
    assert server.messages == []


def test_what_was_said_after_a_mail_is_not_about_the_next(mail_server, send):
    server = mail_server(at="BODY", answer="250 Accepted\r\n250 And thanks")
    with smtp.Line():
        assert send().accepted
        assert send().accepted
    assert len(server.messages) == server.connections == 2


def test_what_was_said_is_shown(mail_server, send):
    mail_server(at="RCPT", answer="hello there")
    assert send().answer == "hello there"


@pytest.mark.parametrize(
    ("step", "said", "failure"),
    [
        ("MAIL", "530 5.7.0 Authentication required", Failure.SIGN_IN_REFUSED),
        ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", Failure.NOT_ENCRYPTED),
        ("MAIL", "552 5.3.4 Message size exceeds limit", Failure.MAIL_REFUSED),
        ("RCPT", "530 5.7.0 Authentication required", Failure.SIGN_IN_REFUSED),
        ("RCPT", "530 Must issue a STARTTLS command first", Failure.NOT_ENCRYPTED),
        ("MAIL", "503 Authenticate first", Failure.NOT_WELCOME),
        ("RCPT", "503 Authenticate first", Failure.NOT_WELCOME),
        ("DATA", "503 5.5.1 Out of sequence", Failure.NOT_WELCOME),
        ("RCPT", "550 5.1.1 No such user", Failure.ADDRESS_REFUSED),
        ("RCPT", "550 5.1.8 Sender address rejected: no such domain", Failure.SENDER_REFUSED),
        ("RCPT", "501 5.1.7 Bad sender address", Failure.SENDER_REFUSED),
        ("RCPT", "552 5.2.2 Mailbox full", Failure.ADDRESS_REFUSED),
        ("RCPT", "552 5.3.4 Message size exceeds limit", Failure.MAIL_REFUSED),
        ("RCPT", "553 5.6.7 No such letters", Failure.ADDRESS_NOT_SUPPORTED),
        ("RCPT", "550 5.7.1 Relaying denied", Failure.MAIL_REFUSED),
        ("RCPT", "554 No", Failure.ADDRESS_REFUSED),
        ("DATA", "550 5.1.1 No such user", Failure.ADDRESS_REFUSED),
        ("BODY", "550 5.1.10 Recipient not found", Failure.ADDRESS_REFUSED),
        ("BODY", "550 5.1.8 Sender address rejected: no such domain", Failure.SENDER_REFUSED),
        ("BODY", "552 5.2.2 Mailbox full", Failure.ADDRESS_REFUSED),
        ("BODY", "552 5.2.3 Message too long", Failure.MAIL_REFUSED),
        ("BODY", "554 5.6.9 No such letters", Failure.ADDRESS_NOT_SUPPORTED),
        ("BODY", "550 5.7.1 Spam", Failure.MAIL_REFUSED),
    ],
)
def test_a_no_is_about_what_it_says(mail_server, send, step, said, failure):
    mail_server(at=step, answer=said)
    outcome = send()
    assert (outcome.accepted, outcome.failure, outcome.answer) == (False, failure, said)


def test_how_slowly_a_server_says_goodbye_keeps_nobody(mail_server, send, monkeypatch):
    monkeypatch.setattr(smtp.line, "MOST_MAILS", 1)
    server = mail_server(at="QUIT", does="drip", every=0.1)
    end = Timer(10, server.closing.set)  # until then it drips
    end.start()
    with smtp.Line():
        assert send().accepted
    assert not server.closing.is_set()
    end.cancel()


def test_no_header_is_longer_than_a_mail_server_takes(app):
    mail = smtp.Message(f"{200 * 'x'} " * 6, ["kim@example.com"], "Hello.", None)
    assert max(map(len, mail.as_bytes().split(b"\r\n"))) <= 998
