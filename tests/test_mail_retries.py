"""An e-mail that is not accepted is tried again, but where the mail server says no to that mail."""

import pytest

from portal import clock, jobs, postman
from portal.extensions import db
from portal.models import Delivery, DeliveryStatus, What
from portal.smtp import Failure

LATER = (DeliveryStatus.QUEUED, What.EMAIL_RETRIES)
OVER = (DeliveryStatus.FAILED, What.EMAIL_NOT_SENT)

# What is wrong with our own settings, or with the mail server, and not with the mail.
OURS = {
    "AUTH": Failure.SIGN_IN_REFUSED,
    "CONNECT": Failure.NOT_WELCOME,
    "MAIL": Failure.SENDER_REFUSED,
}


@pytest.fixture
def automatic(app, license):
    """An automatic e-mail of a portal that signs in to its mail server."""
    state = app.extensions["mail"]
    state.username, state.password = "keydesk", "secret"
    delivery = Delivery.automatic(license.item, [license], token="t" * 20)
    db.session.commit()
    return delivery


def state(delivery):
    db.session.expire_all()
    return delivery.status, delivery.order.history[0].what


@pytest.mark.parametrize(("step", "failure"), OURS.items())
def test_a_fault_of_our_settings_loses_no_automatic_mail(automatic, mail_server, step, failure):
    mail_server(at=step, answer="554 5.7.0 Not you")
    jobs.send(automatic.id)
    assert state(automatic) == LATER
    assert automatic.failure == failure
    assert "An operator must look into it." in automatic.order.history[0].reason

    automatic.due_at = clock.now()
    db.session.commit()
    mended = mail_server()
    jobs.send(automatic.id)
    assert state(automatic) == (DeliveryStatus.SENT, What.EMAIL_SENT)
    assert len(mended.messages) == 1


def test_a_mail_server_that_does_not_encrypt_loses_no_automatic_mail(app, automatic, mailbox):
    app.extensions["mail"].use_tls = True  # which it does not offer
    jobs.send(automatic.id)
    assert state(automatic) == LATER
    assert automatic.failure == Failure.NOT_ENCRYPTED
    assert mailbox.empty


def test_what_cannot_be_composed_is_tried_again_too(license, mailbox):
    information = Delivery.automatic(license.item, [], token="t" * 20)  # and there is no text yet
    db.session.commit()
    jobs.send(information.id)
    assert state(information) == LATER
    assert information.failure == Failure.UNEXPECTED
    assert mailbox.empty


@pytest.mark.parametrize("step", ["RCPT", "DATA", "BODY"])
def test_a_no_to_this_very_mail_is_final(automatic, mail_server, step):
    mail_server(at=step, answer="554 5.1.0 Not this one")
    jobs.send(automatic.id)
    assert state(automatic) == OVER


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ("550 5.1.8 Sender address rejected: no such domain", Failure.SENDER_REFUSED),
        ("530 5.7.0 Authentication required", Failure.SIGN_IN_REFUSED),
        ("503 Authenticate first", Failure.NOT_WELCOME),
    ],
)
def test_a_fault_of_ours_that_a_server_finds_late_loses_no_automatic_mail(
    automatic, mail_server, answer, failure
):
    mail_server(at="RCPT", answer=answer)
    jobs.send(automatic.id)
    assert state(automatic) == LATER
    assert automatic.failure == failure


@pytest.mark.parametrize("step", OURS)
def test_a_person_hears_at_once_what_is_wrong(app, license, rob, mail_server, step):
    app.extensions["mail"].username = app.extensions["mail"].password = "keydesk"
    mail_server(at=step, answer="554 5.7.0 Not you")
    delivery = postman.resend(license, by=rob, token="t" * 20)
    assert state(delivery) == OVER


def test_what_a_person_does_not_wait_for_any_more_is_tried_again(app, license, rob, mail_server):
    mail_server(at="RCPT", answer="451 4.7.1 Greylisted")
    delivery = postman.resend(license, by=rob, token="t" * 20)
    delivery.due_at = clock.now()
    db.session.commit()
    mail_server(at="CONNECT", answer="554 5.7.0 Not you")
    jobs.send(delivery.id)
    assert state(delivery) == LATER
    assert (delivery.attempts, delivery.failure) == (2, Failure.NOT_WELCOME)
