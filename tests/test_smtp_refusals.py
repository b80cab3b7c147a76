"""Where a mail server says more than one no, we say the one that tells why."""

import pytest

from portal import smtp
from portal.smtp.outcome import Failure

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

WRONG_PASSWORD = "535 5.7.8 Authentication failed"
NO_SUCH_WAY = "504 5.5.4 Mechanism not supported"
TOO_WEAK = "534 5.7.9 Mechanism is too weak"
LATER = "454 4.7.0 Temporary authentication failure"


@pytest.fixture
def send(app):
    app.extensions["mail"].username, app.extensions["mail"].password = "keydesk", "secret"
    return lambda: smtp.hand_over(smtp.Message("Hello", ["kim@example.com"], "Hello.", None))


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
