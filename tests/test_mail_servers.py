"""The mail servers of the tests do as told; otherwise the tests of mail would prove nothing."""

import smtplib
import socket
from email.message import EmailMessage

import pytest

from tests.support.faulty_mail_server import FaultyMailServer

# How long a client waits for an answer that comes, however busy the machine is, and for one that
# does not, in seconds.
PATIENCE = 30
IMPATIENCE = 1

ANSWERS = [
    ("CONNECT", smtplib.SMTPConnectError),
    ("EHLO", smtplib.SMTPHeloError),
    ("AUTH", smtplib.SMTPAuthenticationError),
    ("MAIL", smtplib.SMTPSenderRefused),
    ("RCPT", smtplib.SMTPRecipientsRefused),
    ("DATA", smtplib.SMTPDataError),
    ("BODY", smtplib.SMTPDataError),
]
STEPS_OF_A_MAIL = ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "MIDDLE", "BODY"]


@pytest.fixture
def mail():
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", "kim@example.com", "Grüße"
    mail.set_content("Your license:\n\n.ABCD-1234\n")
    mail.add_alternative("<p>Your license:</p>", subtype="html")
    return mail


def send(server, mail, patience=PATIENCE):
    with smtplib.SMTP(server.host, server.port, timeout=patience) as client:
        client.ehlo_or_helo_if_needed()
        if client.has_extn("auth"):
            client.login("keydesk", "secret")
        client.send_message(mail)


def test_a_mail_arrives_in_the_mailbox_as_it_was_sent(mailbox, mail):
    assert mailbox.empty
    send(mailbox, mail)

    (arrived,) = mailbox.wait_for(1)
    assert (arrived.sender, arrived.recipients) == ("shop@example.com", ["kim@example.com"])
    assert arrived["Subject"] == "Grüße"
    assert arrived.plain == "Your license:\n\n.ABCD-1234\n"
    assert "<p>" in arrived.html
    assert b"\r\n\r\n" in arrived.raw


def test_waiting_for_a_mail_that_does_not_come_says_so(mailbox):
    with pytest.raises(AssertionError, match="0 of 1 mails arrived"):
        mailbox.wait_for(1, seconds=0.01)


def test_without_a_fault_it_is_an_ordinary_server(mail):
    with FaultyMailServer() as server:
        send(server, mail)
        send(server, mail)

    first, second = server.messages
    assert first["Subject"] == second["Subject"] == "Grüße"
    assert (first.sender, first.recipients) == ("shop@example.com", ["kim@example.com"])
    assert first.plain == "Your license:\n\n.ABCD-1234\n"
    assert "QUIT" in server.commands


@pytest.mark.parametrize("answer", ["451 4.3.0 Try later", "554 5.7.1 Not here"])
@pytest.mark.parametrize(("step", "error"), ANSWERS)
def test_an_answer_arrives_at_its_step(mail, step, error, answer):
    with FaultyMailServer(step, answer=answer) as server, pytest.raises(error) as caught:
        send(server, mail)

    assert answer[:3] in str(caught.value)
    assert answer[4:] in str(caught.value)
    assert len(server.messages) == (step == "BODY")
    reached = [line[:4].upper() for line in server.commands]
    assert step in ("CONNECT", "BODY") or step in reached
    assert not any(later in reached for later in steps_after(step))


def test_what_comes_first_is_said_before_the_fault(mail):
    with FaultyMailServer("MAIL", first=["451 Later", "250 OK"], answer="550 No") as server:
        with pytest.raises(smtplib.SMTPSenderRefused, match="Later"):
            send(server, mail)
        send(server, mail)
        with pytest.raises(smtplib.SMTPSenderRefused, match="No"):
            send(server, mail)
    assert len(server.messages) == 1


@pytest.mark.parametrize("deed", ["drop", "reset"])
@pytest.mark.parametrize("step", STEPS_OF_A_MAIL)
def test_the_connection_ends_at_its_step(mail, step, deed):
    with (
        FaultyMailServer(step, does=deed) as server,
        pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)) as caught,
    ):
        send(server, mail)

    assert "timed out" not in str(caught.value), "this was silence, not an end"
    assert len(server.messages) == (step == "BODY")


@pytest.mark.parametrize("deed", ["silence", "drip"])
@pytest.mark.parametrize("step", STEPS_OF_A_MAIL)
def test_no_answer_comes_at_its_step(mail, step, deed):
    with FaultyMailServer(step, does=deed) as server:
        with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)) as caught:
            send(server, mail, IMPATIENCE)
        assert len(server.messages) == (step == "BODY")

    assert "timed out" in str(caught.value)


def test_a_drip_outwaits_the_time_limit_of_each_read():
    with (
        FaultyMailServer("CONNECT", does="drip") as server,
        socket.create_connection((server.host, server.port), timeout=PATIENCE) as client,
    ):
        assert client.recv(1) == client.recv(1) == b"2"  # each within the time limit of a read


def test_a_break_comes_in_the_middle_of_a_no():
    with (
        FaultyMailServer("CONNECT", does="break") as server,
        socket.create_connection((server.host, server.port), timeout=PATIENCE) as client,
    ):
        assert client.makefile("rb").read() == b"550 5.1"


def test_nobody_listens_where_a_connection_is_refused(mail):
    with (
        FaultyMailServer("CONNECT", does="refuse") as server,
        pytest.raises(ConnectionRefusedError),
    ):
        send(server, mail)


def test_a_server_that_says_421_leaves(mail):
    with FaultyMailServer("MAIL", answer="421 4.3.2 Closing") as server:
        client = smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
        client.ehlo()
        assert client.mail("shop@example.com")[0] == 421
        with client, pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


@pytest.mark.parametrize(
    "fault",
    [
        {"at": "LUNCH", "does": "drop"},
        {"at": "RCPT"},
        {"answer": "550 No"},
        {"first": ["550 No"]},
        {"at": "RCPT", "does": "refuse"},
        {"at": "RCPT", "answer": "550 No", "does": "drop"},
        {"at": "MIDDLE", "answer": "550 No"},
    ],
)
def test_a_fault_that_cannot_be_is_not_begun(fault):
    with pytest.raises(AssertionError):
        FaultyMailServer(**fault)


def steps_after(step):
    return STEPS_OF_A_MAIL[STEPS_OF_A_MAIL.index(step) + 1 : -2]
