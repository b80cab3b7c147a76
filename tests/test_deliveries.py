"""What is known of an e-mail, and what is said when nobody can know."""

from datetime import timedelta

import pytest

from portal import clock
from portal.extensions import db
from portal.models import Delivery, DeliveryStatus
from portal.models.delivery import LOST_AFTER


@pytest.fixture
def delivery(license, rob):
    delivery = license.resend(by=rob, token="t" * 20)
    db.session.commit()
    return delivery


def test_a_delivery_under_way_says_so(delivery):
    assert "is being sent to kim@example.com" in delivery.outcome


def test_a_delivery_whose_sender_must_be_gone_may_have_been_sent(delivery):
    delivery.created_at = clock.now() - LOST_AFTER - timedelta(seconds=1)
    assert delivery.is_lost
    assert delivery.outcome.startswith("Unknown: ")
    assert "may have been sent to kim@example.com" in delivery.outcome


def test_the_next_start_settles_what_this_host_was_sending(delivery):
    assert Delivery.settle_lost() == 1
    assert delivery.status is DeliveryStatus.UNKNOWN
    assert "may have been sent" in delivery.order.history[0].sentence
    assert Delivery.settle_lost() == 0


def test_what_another_host_is_sending_is_its_own_affair_until_it_must_be_lost(delivery):
    delivery.host = "another"
    db.session.commit()
    assert Delivery.settle_lost() == 0

    delivery.created_at = clock.now() - LOST_AFTER - timedelta(seconds=1)
    db.session.commit()
    assert Delivery.settle_lost() == 1


def test_an_outcome_is_in_the_history_with_who_asked(delivery, rob):
    delivery.finish(DeliveryStatus.FAILED, failure="address_refused", answer="550 No such user")
    db.session.commit()

    (entry,) = delivery.order.history
    assert entry.sentence == (
        "The email containing license information was not sent to kim@example.com"
    )
    assert "refused the address" in entry.reason
    assert (entry.answer, entry.by) == ("550 No such user", rob)
