"""What we say of a mail is what the mail server made of it, whatever it does and at which step."""

import smtplib
from time import monotonic

import pytest

from portal import smtp
from portal.smtp.connection import Connection
from portal.smtp.departure import Departure
from portal.smtp.outcome import Failure

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# (step, what a final refusal there means)
STEPS = {
    "CONNECT": Failure.NOT_WELCOME,
    "EHLO": Failure.NOT_WELCOME,
    "AUTH": Failure.SIGN_IN_REFUSED,
    "MAIL": Failure.SENDER_REFUSED,
    "RCPT": Failure.ADDRESS_REFUSED,
    "DATA": Failure.MAIL_REFUSED,
    "BODY": Failure.MAIL_REFUSED,
}
MAIL_HAS_LEFT = ("MIDDLE", "BODY")


@pytest.fixture
def send(app):
    """Hand a mail over; its outcome, which comes soon after the time limit at the latest."""
    state = app.extensions["mail"]
    state.username, state.password = "keydesk", "secret"

    def hand_over(to="kim@example.com"):
        begun = monotonic()
        outcome = smtp.hand_over(smtp.Message("Hello", [to], "Hello.", "<p>Hello.</p>"))
        assert monotonic() - begun < app.config["MAIL_TIME_LIMIT"] + 5
        return outcome

    return hand_over


@pytest.mark.parametrize(("step", "failure"), STEPS.items())
def test_a_final_refusal_says_what_was_refused(mail_server, send, step, failure):
    mail_server(at=step, answer="554 5.3.0 Not here")
    outcome = send()
    assert (outcome.accepted, outcome.failure) == (False, failure)
    assert outcome.answer == "554 5.3.0 Not here"
    assert not outcome.failure.is_temporary


@pytest.mark.parametrize("answer", ["451 4.3.0 Later", "421 4.3.2 Closing"])
@pytest.mark.parametrize("step", STEPS)
def test_a_temporary_refusal_says_to_try_again(mail_server, send, step, answer):
    mail_server(at=step, answer=answer)
    outcome = send()
    assert (outcome.accepted, outcome.failure) == (False, Failure.TRY_LATER)
    assert outcome.answer == answer
    assert outcome.failure.is_temporary


@pytest.mark.parametrize("deed", ["drop", "reset", "break", "silence", "drip"])
@pytest.mark.parametrize("step", [*STEPS, "MIDDLE"])
def test_without_an_answer_a_mail_that_has_left_is_unknown(mail_server, send, step, deed):
    mail_server(at=step, does=deed)
    outcome = send()
    silent = deed in ("silence", "drip")
    assert outcome.failure is (Failure.TIME_OUT if silent else Failure.DROPPED)
    assert outcome.accepted is (None if step in MAIL_HAS_LEFT else False)
    assert outcome.failure.is_temporary


@pytest.mark.parametrize("deed", ["drop", "reset", "break", "silence", "drip"])
def test_how_a_server_says_goodbye_changes_nothing(mail_server, send, deed):
    mail_server(at="QUIT", does=deed)
    assert send().accepted


def test_a_server_that_is_not_there_is_not_reached(mail_server, send):
    mail_server(at="CONNECT", does="refuse")
    outcome = send()
    assert (outcome.accepted, outcome.failure) == (False, Failure.UNREACHABLE)


def test_an_answer_that_is_none_after_the_mail_has_left_is_unknown(mail_server, send):
    mail_server(at="BODY", answer="hello there")
    assert send().accepted is None


def test_a_server_without_smtputf8_has_a_reason_of_its_own(mail_server, send):
    mail_server(at="EHLO", answer="250-mail.example\r\n250 AUTH PLAIN")
    outcome = send("kïm@example.com")
    assert (outcome.accepted, outcome.failure) == (False, Failure.ADDRESS_NOT_SUPPORTED)


def test_a_sender_that_needs_smtputf8_is_ours_to_mend(app, mail_server):
    app.config["MAIL_DEFAULT_SENDER"] = "käthe@example.com"
    mail_server(at="EHLO", answer="250 mail.example")
    outcome = smtp.hand_over(smtp.Message("Hello", ["kim@example.com"], "Hello.", None))
    assert (outcome.accepted, outcome.failure) == (False, Failure.SENDER_REFUSED)


def test_a_server_without_tls_is_not_spoken_to_in_the_open(app, mail_server, send):
    app.extensions["mail"].use_tls = True
    server = mail_server()
    assert send().failure is Failure.NOT_ENCRYPTED
    assert not any(command.startswith(("AUTH", "MAIL")) for command in server.commands)


def test_after_the_conversation_is_broken_off_nothing_leaves(app, mail_server):
    server = mail_server()
    departure = Departure()
    departure.call_off()
    connection = Connection(app.extensions["mail"], departure)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        connection.open()
    assert not departure.mail_has_left
    assert server.messages == []
    assert server.commands == []


@pytest.mark.parametrize("failure", Failure)
def test_each_failure_says_what_happened_and_what_to_do(app, failure):
    assert failure.sentence.startswith(failure.what)
    assert failure.sentence != failure.what


def test_no_address_adds_a_header(app):
    with pytest.raises(ValueError, match="line ends"):
        smtp.Message("Hello", ["kim@example.com\nBcc: eve@example.com"], "Hello.", None)
