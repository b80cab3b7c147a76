"""The rule for sending a license again: every refusal is a row here, and the first counts."""

from datetime import timedelta

import pytest

from portal import clock
from portal.extensions import db
from portal.models import Delivery, OrderStatus, Refused, standing
from tests.people import CODE, bring_in, item_document, order_document


def not_paid(license):
    license.order.status = OrderStatus.NOT_PAID


def deleted(license):
    license.order.status = OrderStatus.DELETED


def terminated(license):
    license.order.status = OrderStatus.TERMINATED


def refunded(license):
    license.item.refunded_at = clock.now()


def forbidden(license):
    license.order.checkout_page.delivery_allowed = False


def erased(license):
    license.order.email = None


def unreadable(license):
    license.sealed = bytes(len(license.sealed))


# In the order of the answers: what was changed, the word, a part of the reason and of the advice.
REFUSALS = [
    (not_paid, "order_not_paid", "“not paid”", "once the order is paid"),
    (deleted, "order_not_paid", "“deleted”", "have to order again"),
    (terminated, "order_not_paid", "“terminated”", "have to order again"),
    (refunded, "license_revoked", "was refunded", "order it again"),
    (forbidden, "delivery_forbidden", "checkout page Acme Store", "Only an operator"),
    (erased, "no_email", "missing or was erased", "answer them yourself"),
    (unreadable, "license_unreadable", "cannot be read", "Tell an operator"),
]
CHANGES = [change for change, *_words in REFUSALS]


def test_a_license_of_a_paid_order_can_be_sent(license):
    assert license.resend_refusal() is None


@pytest.mark.parametrize(("change", "word", "reason", "advice"), REFUSALS)
def test_a_license_is_refused(license, rob, change, word, reason, advice):
    change(license)
    db.session.commit()

    refusal = license.resend_refusal()
    assert (refusal.word, reason in refusal.sentence) == (word, True)
    assert advice in refusal.next_step
    with pytest.raises(Refused) as refused:
        license.resend(by=rob, token="t" * 20)
    assert refused.value.refusal == refusal
    assert db.session.scalars(db.select(Delivery)).all() == []


@pytest.mark.parametrize("first", range(2, len(CHANGES) - 1))
def test_the_first_reason_counts(license, first):
    for change in CHANGES[first:]:
        change(license)
    assert license.resend_refusal().word == REFUSALS[first][1]


def test_only_the_refunded_item_of_a_paid_order_is_refused(acme):
    items = [item_document("1"), item_document("2", codes=["OTHER-1"])]
    first, second = bring_in(order_document(items=items)).items
    first.refunded_at = clock.now()
    assert first.licenses[0].resend_refusal().word == "license_revoked"
    assert second.licenses[0].resend_refusal() is None


def test_a_resend_is_written_down_before_it_is_sent(license, rob, mailbox):
    delivery = license.resend(by=rob, token="t" * 20)
    db.session.commit()

    assert (delivery.status, delivery.to, delivery.by) == ("sending", "kim@example.com", rob)
    assert delivery.licenses == [license]
    assert delivery.created_at - clock.now() < timedelta(seconds=5)
    assert mailbox.empty


def test_what_is_stored_of_a_delivery_and_a_license_does_not_hold_its_text(license, rob):
    license.resend(by=rob, token="t" * 20)
    db.session.commit()
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(db.select(table)):
            assert CODE not in repr(tuple(row)), table.name


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "No license has been saved"),
        ({"status": "not paid"}, "because the order is not paid"),
        ({"status": "deleted"}, "the order is closed"),
    ],
)
def test_an_item_without_a_license_says_why(acme, change, reason):
    order = bring_in(order_document(codes=(), **change))
    refusal = standing.of(order.items[0])
    assert reason in refusal.sentence
    assert refusal.next_step


def test_an_item_refunded_without_a_license_says_why(acme):
    order = bring_in(order_document(codes=()))
    order.items[0].refunded_at = clock.now()
    assert "refunded before" in standing.of(order.items[0]).sentence
