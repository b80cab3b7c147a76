"""What is known of an e-mail, and what is said when nobody can know."""

import subprocess
from datetime import timedelta

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.models import Delivery, DeliveryStatus, outbox
from portal.smtp import Failure, Outcome
from tests.test_processes import named


def ended_process():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.fixture
def delivery(license, rob):
    delivery = license.resend(by=rob, token="t" * 20)
    db.session.commit()
    return delivery


def test_a_delivery_under_way_says_so(delivery):
    assert "is being sent to kim@example.com" in delivery.outcome


def test_a_delivery_whose_sender_must_be_gone_may_have_been_sent(delivery):
    delivery.due_at = clock.now()
    assert delivery.is_lost
    assert delivery.outcome.startswith("Unknown: ")
    assert "may have been sent to kim@example.com" in delivery.outcome


def test_what_a_process_was_sending_that_is_gone_is_settled(delivery):
    assert outbox.settle_lost() == []
    delivery.sender = named(ended_process())
    db.session.commit()

    assert len(outbox.settle_lost()) == 1
    assert delivery.status is DeliveryStatus.UNKNOWN
    assert "may have been sent" in delivery.order.history[0].sentence
    assert outbox.settle_lost() == []


def test_what_another_host_is_sending_is_its_own_affair_until_it_must_be_lost(delivery):
    delivery.sender = "another:life:1"
    db.session.commit()
    assert outbox.settle_lost() == []

    delivery.due_at = clock.now()
    db.session.commit()
    assert len(outbox.settle_lost()) == 1


def test_an_outcome_is_in_the_history_with_who_asked(delivery, rob):
    delivery.finish(DeliveryStatus.FAILED, failure="address_refused", answer="550 No such user")
    db.session.commit()

    (entry,) = delivery.order.history
    assert entry.sentence == (
        "The email containing license information was not sent to kim@example.com"
    )
    assert "refused the address" in entry.reason
    assert (entry.answer, entry.by) == ("550 No such user", rob)


def test_patience_begins_with_the_first_attempt(license, mail_server):
    delivery = Delivery.automatic(license.item, [license], token="t" * 20)
    delivery.created_at = clock.now() - timedelta(days=3)  # since then it has waited for its turn
    db.session.commit()
    mail_server(at="RCPT", answer="451 4.3.0 Later")
    jobs.send(delivery.id)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.QUEUED, 1)


def test_patience_ends(license, mail_server):
    delivery = Delivery.automatic(license.item, [license], token="t" * 20)
    db.session.commit()
    mail_server(at="RCPT", answer="451 4.3.0 Later")
    jobs.send(delivery.id)
    delivery.due_at, delivery.started_at = clock.now(), clock.now() - timedelta(days=3)
    db.session.commit()
    jobs.send(delivery.id)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.FAILED, 2)


def test_an_email_without_licenses_never_claims_to_have_some(license, acme):
    delivery = Delivery.automatic(license.item, [], token="t" * 20)
    db.session.commit()
    said = [delivery.outcome]
    outbox.claim(delivery.id)
    said.append(delivery.outcome)
    outbox.settle(delivery, Outcome(False, Failure.TRY_LATER))
    said.append(delivery.outcome)
    acme.delivery_allowed = False
    delivery.due_at = clock.now()
    assert outbox.claim(delivery.id) is None
    db.session.commit()
    said.append(delivery.outcome)
    email = "The email about Sentinel Antivirus, 1 year"
    assert said[0] == f"{email} is about to be sent"
    assert said[1] == f"{email} is being sent to kim@example.com"
    assert said[2].startswith(f"{email} to kim@example.com will be tried again at ")
    assert said[3].startswith("The informational email was withheld from kim@example.com: ")
    assert delivery.order.history[0].sentence == said[3]
