"""What messages said is kept up to so many bytes of a checkout page and a day, and no further."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from portal.extensions import db
from portal.models import (
    Hook,
    KeptBytes,
    MessageOutcome,
    Order,
    PageSecret,
    ReceivedMessage,
    Refused,
)
from tests.people import bring_in, order_document
from tests.support.senders import Sender, message, signed
from tests.test_received_messages import WAITING

pytestmark = pytest.mark.settings(MESSAGE_MIB_PER_DAY=1)


@pytest.fixture
def acme_sends(app, acme):
    return sender_of(app, acme)


def sender_of(app, page):
    sender = Sender(app, f"/hooks/{page.code}", PageSecret.add(page, Hook.WEBHOOK))
    db.session.commit()
    return sender


def tell_apart(sender, app, given):
    """The status of the answer that a sender in a thread of its own gets."""
    with app.app_context():
        return Sender(app, sender.path, sender.secret).tell(given).status_code


def large(share=0.9, **changes):
    """A message whose content takes `share` of what is kept in a day."""
    return message(**changes) | {"padding": "x" * int(share * 1024 * 1024)}


def are_kept(page):
    """Of the messages of `page`, oldest first, whether what they said is kept."""
    db.session.expire_all()
    return [one.body is not None for one in reversed(ReceivedMessage.newest(page))]


def test_what_comes_beyond_the_limit_is_taken_in_and_not_kept(acme_sends, acme):
    acme_sends.tell(large())
    assert acme_sends.tell(large(number="A7")).json == {"outcome": "imported", "order": "A7"}
    assert are_kept(acme) == [True, False]
    newer, older = ReceivedMessage.newest(acme)
    assert (newer.left_out, older.left_out) == (True, False)
    assert (newer.outcome, newer.order_number) == (MessageOutcome.IMPORTED, "A7")


def test_what_is_small_enough_still_has_room(acme_sends, acme):
    for share in (0.6, 0.6, 0.3, 0.3):
        acme_sends.tell(large(share))
    assert are_kept(acme) == [True, False, True, False]


def test_a_message_as_long_as_one_may_be_is_kept(acme_sends, acme):
    given = message() | {"padding": ""}
    given["padding"] = "x" * (1024 * 1024 - len(json.dumps(given)))
    acme_sends.tell(given)
    acme_sends.tell(message())
    assert are_kept(acme) == [True, False]


@pytest.mark.settings(MESSAGE_MIB_PER_DAY=1_000_000)
def test_the_limit_may_be_as_high_as_a_disk_is_large(acme_sends, acme):
    acme_sends.tell(large())
    db.session.get_one(KeptBytes, acme.id).bytes = 999_999 * 1024 * 1024
    db.session.commit()
    acme_sends.tell(large())
    acme_sends.tell(large())
    assert are_kept(acme) == [True, True, False]


def test_bytes_are_counted_and_not_characters(acme_sends, acme):
    body = json.dumps(message() | {"padding": "ü" * 500_000}, ensure_ascii=False)
    for _time in range(2):
        acme_sends.post(body.encode(), signed(acme_sends.secret, body))
    assert are_kept(acme) == [True, False]


def test_the_next_day_begins_anew(acme_sends, acme):
    acme_sends.tell(large())
    acme_sends.tell(large())
    db.session.get_one(KeptBytes, acme.id).day -= timedelta(days=1)
    db.session.commit()
    acme_sends.tell(large())
    acme_sends.tell(large())
    assert are_kept(acme) == [True, False, True, False]


def test_each_checkout_page_has_a_limit_of_its_own(app, acme_sends, acme, nordsoft):
    acme_sends.tell(large())
    acme_sends.tell(large())
    sender_of(app, nordsoft).tell(large(number="A7", checkout_page="nordsoft"))
    assert are_kept(acme) == [True, False]
    assert are_kept(nordsoft) == [True]


def test_the_same_message_again_is_counted_once(acme_sends, acme):
    for _time in range(3):
        acme_sends.tell(large(0.4), id="msg_1")
    acme_sends.tell(large(0.4), id="msg_2")
    assert are_kept(acme) == [True, True]


def test_what_is_not_kept_because_of_an_erasure_is_not_counted(acme_sends, acme):
    bring_in(order_document(customer={"email": None}))
    acme_sends.tell(large())
    acme_sends.tell(large(number="A7"))
    assert are_kept(acme) == [False, True]
    assert not any(one.left_out for one in ReceivedMessage.newest(acme))


def test_a_rejected_message_that_was_not_kept_is_not_replayed(acme_sends, acme, ada):
    for _time in range(2):
        assert acme_sends.tell(large(total="x")).status_code == 422
    newer, older = ReceivedMessage.newest(acme)
    assert older.replay_refusal() is None
    with pytest.raises(Refused) as refused:
        newer.replay(by=ada)
    assert refused.value.refusal.word == "message_not_kept"
    assert newer.outcome is MessageOutcome.REJECTED


def test_the_page_of_a_message_says_that_it_was_not_kept_and_why(signed_in, acme_sends, acme, ada):
    for total in ("29.95", "29.95", "x"):
        acme_sends.tell(large(total=total))
    rejected, taken_in, kept = (
        signed_in(ada).open(f"/checkout-pages/acme/messages/{one.id}")
        for one in ReceivedMessage.newest(acme)
    )
    for page in (rejected, taken_in):
        assert "so much was received of this checkout page" in page.parts(".mail")[0].text
    assert "what it said was not kept" in rejected.text
    assert "Take it in again" not in rejected.names
    assert "so much was received" not in kept.text


def test_what_comes_at_once_is_counted_in_full(app, acme_sends, acme):
    told = [large(0.19, number=f"A{number}") for number in range(1, 9)]
    with ThreadPoolExecutor(8) as threads:
        statuses = threads.map(lambda given: tell_apart(acme_sends, app, given), told)
        assert set(statuses) == {200}
    assert sorted(are_kept(acme)) == [False] * 3 + [True] * 5


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_message_that_waits_for_its_order_holds_up_no_other(app, acme_sends, acme):
    acme_sends.tell(message())

    with ThreadPoolExecutor(2) as threads, Session(db.engine) as other:
        other.execute(db.select(Order.id).with_for_update())  # an import begins like this
        waits = threads.submit(tell_apart, acme_sends, app, message(locale="de"))
        while not other.scalar(db.text(WAITING)):
            assert not waits.done()
        passes = threads.submit(tell_apart, acme_sends, app, message(number="A7"))
        assert passes.result(timeout=60) == 200
        assert not waits.done()
        other.rollback()
        assert waits.result() == 200
    assert are_kept(acme) == [True, True, True]
