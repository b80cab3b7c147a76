"""Where a mail server says more than one no, we say the one that tells why."""

from base64 import b64encode

import pytest

from portal import smtp
from portal.smtp.outcome import Failure

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

WRONG_PASSWORD = "535 5.7.8 Authentication failed"
NO_SUCH_WAY = "504 5.5.4 Mechanism not supported"
TOO_WEAK = "534 5.7.9 Mechanism is too weak"
LATER = "454 4.7.0 Temporary authentication failure"
BUSY = "451 4.3.2 Busy"
HELLO = "250 mail.example"


@pytest.fixture
def send(app):
    app.extensions["mail"].username, app.extensions["mail"].password = "keydesk", "secret"

    def hand_over(to="kim@example.com"):
        return smtp.hand_over(smtp.Message("Hello", [to], "Hello.", None))

    return hand_over


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (WRONG_PASSWORD, NO_SUCH_WAY, WRONG_PASSWORD),
        (NO_SUCH_WAY, WRONG_PASSWORD, WRONG_PASSWORD),
        (WRONG_PASSWORD, LATER, WRONG_PASSWORD),
        (TOO_WEAK, WRONG_PASSWORD, WRONG_PASSWORD),
        (TOO_WEAK, NO_SUCH_WAY, TOO_WEAK),
        (NO_SUCH_WAY, TOO_WEAK, TOO_WEAK),
    ],
)
def test_of_two_refused_ways_to_sign_in_the_more_telling_is_said(
    mail_server, send, first, second, said
):
    server = mail_server(at="AUTH", first=[first], answer=second)
    outcome = send()
    assert [command[:4] for command in server.commands].count("AUTH") == 2
    assert (outcome.failure, outcome.answer) == (Failure.SIGN_IN_REFUSED, said)


@pytest.mark.parametrize(
    "fault", [{"does": "drop"}, {"does": "silence"}, {"answer": "421 4.7.0 Too many errors"}]
)
def test_a_server_that_loses_patience_after_a_wrong_password_has_said_why(mail_server, send, fault):
    mail_server(at="AUTH", first=[WRONG_PASSWORD], **fault)
    outcome = send()
    assert (outcome.failure, outcome.answer) == (Failure.SIGN_IN_REFUSED, WRONG_PASSWORD)


@pytest.mark.parametrize(("first", "second"), [(LATER, NO_SUCH_WAY), (NO_SUCH_WAY, LATER)])
def test_a_sign_in_that_was_put_off_is_tried_again(mail_server, send, first, second):
    mail_server(at="AUTH", first=[first], answer=second)
    outcome = send()
    assert (outcome.failure, outcome.answer) == (Failure.TRY_LATER, LATER)


def test_a_way_to_sign_in_that_is_not_known_is_no_reason_why_a_server_leaves(mail_server, send):
    mail_server(at="AUTH", first=[NO_SUCH_WAY], does="drop")
    assert send().failure is Failure.DROPPED


def test_a_way_to_sign_in_that_works_is_enough(mail_server, send):
    mail_server(at="AUTH", first=[WRONG_PASSWORD], answer="235 2.7.0 Welcome")
    assert send().accepted


@pytest.mark.parametrize("told", [b"\0keydesk\0secret", b"secret"])
@pytest.mark.parametrize("quoted", ["{told}", "<{told}>", "'{told}', sorry"])
def test_no_answer_shows_what_gives_access_to_the_mail_server(mail_server, send, told, quoted):
    text = b64encode(told).decode()
    answer = f"501 5.5.2 Cannot decode {quoted.format(told=text)}"
    mail_server(at="AUTH", answer=answer)
    assert send().answer == answer.replace(text, "…")


def test_an_answer_that_shows_a_password_as_it_is_loses_it(mail_server, send):
    mail_server(at="AUTH", answer="535 5.7.8 secret is wrong")
    assert send().answer == "535 5.7.8 … is wrong"


@pytest.fixture
def send_encrypted(app, send):
    app.extensions["mail"].use_tls = True
    return send


def test_a_server_that_puts_off_what_encryption_needs_is_busy(mail_server, send_encrypted):
    server = mail_server(at="EHLO", first=[BUSY], answer=HELLO)
    outcome = send_encrypted()
    assert [command[:4] for command in server.commands][:2] == ["ehlo", "helo"]
    assert (outcome.failure, outcome.answer) == (Failure.TRY_LATER, BUSY)


def test_a_server_that_knows_no_ehlo_does_not_encrypt(mail_server, send_encrypted):
    mail_server(at="EHLO", first=["502 5.5.1 Not implemented"], answer=HELLO)
    assert send_encrypted().failure is Failure.NOT_ENCRYPTED


def test_a_server_that_puts_off_what_signing_in_needs_is_busy(mail_server, send):
    mail_server(at="EHLO", first=[BUSY], answer=HELLO)
    outcome = send()
    assert (outcome.failure, outcome.answer) == (Failure.TRY_LATER, BUSY)


def test_a_server_that_puts_off_what_an_address_needs_is_busy(app, mail_server, send):
    app.extensions["mail"].username = None
    mail_server(at="EHLO", first=[BUSY], answer=HELLO)
    outcome = send("kïm@example.com")
    assert (outcome.failure, outcome.answer) == (Failure.TRY_LATER, BUSY)


def test_a_mail_that_needs_nothing_goes_to_a_server_that_only_takes_helo(app, mail_server, send):
    app.extensions["mail"].username = None
    mail_server(at="EHLO", first=[BUSY], answer=HELLO)
    assert send().accepted


@pytest.mark.parametrize("fault", [{"does": "drop"}, {"answer": "502 5.5.1 Not implemented"}])
@pytest.mark.parametrize(
    ("answer", "failure"),
    [(BUSY, Failure.TRY_LATER), ("554 5.7.1 No access", Failure.NOT_WELCOME)],
)
def test_what_was_said_to_ehlo_says_why_helo_is_of_no_use(
    mail_server, send, answer, failure, fault
):
    mail_server(at="EHLO", first=[answer], **fault)
    outcome = send()
    assert (outcome.failure, outcome.answer) == (failure, answer)


def test_what_was_put_off_once_is_asked_for_over_a_fresh_connection(app, mail_server, send):
    app.extensions["mail"].username = None
    server = mail_server(at="EHLO", first=[BUSY, HELLO], answer="250-mail.example\r\n250 SMTPUTF8")
    with smtp.Line():
        assert send().accepted
        assert send("kïm@example.com").accepted
    assert server.connections == 2
