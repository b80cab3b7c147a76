"""A pool gives each license once, oldest first, and whoever waits is served when there is more."""

from datetime import timedelta
from threading import Thread

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.fulfilment import pool as tool
from portal.fulfilment import worklist
from portal.fulfilment.answer import Failure, Licenses, Trouble, Waits
from portal.models import (
    Fulfilment,
    License,
    Notice,
    OrderStatus,
    Pool,
    PoolWait,
    Refused,
    Tool,
    Unsound,
    standing,
)
from portal.models.fulfilment import FulfilmentState
from portal.pools import stock, waiting
from tests.pools import fill, paid, request_of, texts


def test_an_item_gets_the_oldest_licenses(pool, acme, mailbox):
    upload = fill(pool, "A-1", "A-2", "A-3")
    fulfilment = paid(pool, quantity=2)
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == ["A-1", "A-2"]
    assert fulfilment.state is FulfilmentState.DONE
    assert (pool.stock, pool.used, upload.next_position) == (1, 2, 3)
    (message,) = mailbox.messages
    assert all(code in str(message) for code in ("A-1", "A-2"))


def test_two_were_bought_and_one_was_delivered_so_the_second_comes(pool, acme, mailbox):
    fill(pool, "A-1", "A-2", "A-3")
    fulfilment = paid(pool, quantity=2)
    License.saved(fulfilment.item, "OLD-1")
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == ["OLD-1", "A-1"]
    assert pool.stock == 2


def test_what_was_taken_before_a_crash_is_not_taken_twice(pool, acme):
    fill(pool, "A-1", "A-2", "A-3")
    fulfilment = paid(pool, quantity=2)
    first = tool.obtain(request_of(fulfilment, 2), tool.Settings(pool_id=pool.id))
    again = tool.obtain(request_of(fulfilment, 2), tool.Settings(pool_id=pool.id))
    assert first == again
    assert isinstance(first, Licenses)
    assert first.texts == ["A-1", "A-2"]
    assert pool.stock == 1


def test_what_an_item_has_saved_does_not_count_as_taken(pool, acme, mailbox):
    fill(pool, "A-1", "A-2")
    fulfilment = paid(pool)
    jobs.fulfil(fulfilment.id)
    answer = tool.obtain(request_of(fulfilment), tool.Settings(pool_id=pool.id))
    assert answer.texts == ["A-2"]


def test_the_customer_gets_one_mail_once_the_item_is_complete(pool, acme, mailbox):
    fill(pool, "A-1")
    fulfilment = paid(pool, quantity=2)
    jobs.fulfil(fulfilment.id)
    assert (fulfilment.state, fulfilment.failure) == (FulfilmentState.WAITING, Failure.POOL_EMPTY)
    assert texts(fulfilment) == []
    assert pool.stock == 0
    assert mailbox.empty

    fill(pool, "B-1", "B-2")
    assert waiting.serve(pool.id) == [fulfilment.id]
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == ["A-1", "B-1"]
    assert len(mailbox.messages) == 1
    assert pool.stock == 1


def test_or_at_once_what_is_there_and_the_rest_later(pool, acme, mailbox):
    fill(pool, "A-1")
    fulfilment = paid(pool, quantity=3, parts=True)
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == ["A-1"]
    assert fulfilment.state is FulfilmentState.WAITING
    for code, stays in (("B-1", FulfilmentState.WAITING), ("C-1", FulfilmentState.DONE)):
        fill(pool, code)
        assert waiting.serve(pool.id) == [fulfilment.id]
        jobs.fulfil(fulfilment.id)
        assert fulfilment.state is stays
    assert texts(fulfilment) == ["A-1", "B-1", "C-1"]
    assert len(mailbox.messages) == 3


def test_the_oldest_order_comes_first_and_a_new_one_does_not_overtake(pool, acme, mailbox):
    new = paid(pool, "A0000000002", created_at="2026-11-03T10:00:00+01:00")
    old = paid(pool, "A0000000001", created_at="2026-11-01T10:00:00+01:00", quantity=2)
    for fulfilment in (new, old):
        jobs.fulfil(fulfilment.id)
    fill(pool, "A-1", "A-2")
    newest = paid(pool, "A0000000003")
    jobs.fulfil(newest.id)
    assert texts(newest) == []

    assert waiting.serve(pool.id) == [old.id]
    for fulfilment in (old, new, newest):
        jobs.fulfil(fulfilment.id)
    assert [len(texts(each)) for each in (old, new, newest)] == [2, 0, 0]

    fill(pool, "B-1")
    waiting.serve(pool.id)
    jobs.fulfil(newest.id)
    jobs.fulfil(new.id)
    assert (texts(new), texts(newest)) == ([], ["B-1"])


def test_what_is_told_to_nobody_is_found_by_the_sweep(pool, acme):
    fulfilment = paid(pool)
    jobs.fulfil(fulfilment.id)
    fill(pool, "A-1")
    waiting._serve_some(pool.id)  # and there the process ended
    assert fulfilment.due_at is None
    assert waiting.serve_all() == [fulfilment.id]
    assert fulfilment.due_at <= clock.now()
    assert waiting.serve_all() == []


def test_a_pool_that_is_refilled_while_an_item_is_on_its_way_to_wait_forgets_nobody(pool, acme):
    fulfilment = paid(pool)
    fulfilment.state = FulfilmentState.WORKING
    db.session.commit()
    answer = tool.obtain(request_of(fulfilment), tool.Settings(pool_id=pool.id))
    assert answer == Waits(Failure.POOL_EMPTY, "1")
    fill(pool, "A-1")
    assert waiting.serve(pool.id) == []
    fulfilment.take(answer)
    assert fulfilment.due_at <= clock.now()


def test_what_was_reserved_for_an_item_that_is_refunded_becomes_free(pool, acme, mailbox):
    fill(pool, "A-1")
    fulfilment = paid(pool, quantity=2)
    jobs.fulfil(fulfilment.id)
    fulfilment.item.refunded_at = clock.now()
    db.session.commit()
    other = paid(pool, "A0000000002", created_at="2026-11-03T10:00:00+01:00", quantity=2)
    jobs.fulfil(other.id)
    fill(pool, "B-1")
    waiting.serve(pool.id)
    waiting.serve_all()
    jobs.fulfil(other.id)
    assert texts(other) == ["A-1", "B-1"]


OTHER_PRODUCT = {"id": "1002", "name": "Sentinel Firewall"}


def refunded(fulfilment):
    fulfilment.item.refunded_at = clock.now()


def deleted(fulfilment):
    fulfilment.item.order.status = OrderStatus.DELETED


def switched(fulfilment):
    fulfilment.product.tool, fulfilment.product.settings = Tool.LICENSE_REQUEST, {}
    Fulfilment.wake(fulfilment.product)


def switched_and_failed(fulfilment):
    fulfilment.product.tool = Tool.LICENSE_REQUEST
    fulfilment.take(Trouble(Failure.TOOL_BROKE_DOWN, is_temporary=False))


def delivered_by_a_document(fulfilment):
    License.saved(fulfilment.item, "DOC-1")
    fulfilment.item.fulfilled_at = clock.now()


IN_VAIN = [refunded, deleted, switched, switched_and_failed, delivered_by_a_document]


def tend():
    """A minute passes, and another one."""
    for _minute in range(2):
        jobs.tend_pools()
        for fulfilment_id in worklist.due(100):
            jobs.fulfil(fulfilment_id)
    db.session.expire_all()


@pytest.mark.parametrize("change", IN_VAIN)
def test_what_was_reserved_in_vain_goes_to_who_waits_without_a_refill(
    queue, pool, acme, mailbox, change
):
    fill(pool, "A-1")
    fulfilment = paid(pool, quantity=2)
    other = paid(pool, "A0000000002", product=OTHER_PRODUCT)
    for each in (fulfilment, other):
        jobs.fulfil(each.id)
    assert texts(other) == []
    change(fulfilment)
    db.session.commit()
    tend()
    assert texts(other) == ["A-1"]
    assert db.session.scalars(db.select(PoolWait)).all() == []


@pytest.mark.parametrize("change", IN_VAIN)
def test_who_waits_in_vain_gets_nothing_of_a_refill(queue, pool, acme, mailbox, change):
    fulfilment = paid(pool, created_at="2026-11-01T10:00:00+01:00")
    other = paid(pool, "A0000000002", product=OTHER_PRODUCT)
    for each in (fulfilment, other):
        jobs.fulfil(each.id)
    change(fulfilment)
    db.session.commit()
    fill(pool, "A-1")
    assert waiting.serve(pool.id) == [other.id]
    tend()
    attempts = fulfilment.attempts
    tend()
    assert fulfilment.attempts == attempts  # it is not woken again and again
    assert texts(other) == ["A-1"]


@pytest.mark.parametrize("change", [refunded, deleted, switched])
def test_what_was_reserved_before_a_crash_becomes_free_if_nobody_comes_for_it(
    queue, pool, acme, mailbox, change
):
    fill(pool, "A-1")
    fulfilment = paid(pool)
    worklist.claim(fulfilment.id)
    db.session.commit()
    tool.obtain(request_of(fulfilment), tool.Settings(pool_id=pool.id))  # and there it ended
    change(fulfilment)
    db.session.commit()
    tend()
    assert pool.stock == 0  # somebody may be at work on it still
    fulfilment.lose()
    db.session.commit()
    tend()
    assert pool.stock == 1
    assert texts(fulfilment) == []


def test_what_is_reserved_for_an_item_that_is_tried_again_stays_its_own(queue, pool, acme):
    fill(pool, "A-1")
    fulfilment = paid(pool)
    tool.obtain(request_of(fulfilment), tool.Settings(pool_id=pool.id))
    fulfilment.take(Trouble(Failure.TOOL_BROKE_DOWN))
    db.session.commit()
    jobs.tend_pools()
    assert pool.stock == 0


def test_of_an_item_that_has_its_licenses_nothing_is_left_but_those(queue, pool, acme, mailbox):
    fill(pool, "A-1", "A-2", "A-3")
    jobs.fulfil(paid(pool, quantity=2).id)
    assert db.session.scalars(db.select(PoolWait)).all() == []
    refunded(db.session.scalars(db.select(Fulfilment)).one())
    db.session.commit()
    tend()
    assert pool.stock == 1


def test_a_product_that_is_given_another_pool_leaves_nothing_in_the_first(pool, acme, mailbox):
    other = Pool.add("Other keys", by=None)
    fill(pool, "A-1")
    fill(other, "B-1", "B-2")
    fulfilment = paid(pool, quantity=2)
    jobs.fulfil(fulfilment.id)
    fulfilment.product.settings = {"pool_id": other.id}
    Fulfilment.wake(fulfilment.product)
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == ["B-1", "B-2"]
    assert (pool.stock, other.stock) == (1, 0)


def test_a_license_of_a_pool_becomes_one_license_and_no_second(pool, acme, mailbox):
    fill(pool, "A-1")
    fulfilment = paid(pool)
    jobs.fulfil(fulfilment.id)
    source = fulfilment.item.licenses[0].pool_license_id
    License.saved(fulfilment.item, "A-1").pool_license_id = source
    with pytest.raises(db.exc.IntegrityError):
        db.session.commit()
    db.session.rollback()


def test_two_licenses_that_differ_in_capital_letters_only_are_two(pool):
    fill(pool, "abc", "ABC")
    assert pool.stock == 2


def test_a_pool_that_does_not_exist_is_a_matter_for_an_operator(pool, acme):
    fulfilment = paid(pool)
    fulfilment.product.settings = {"pool_id": 12345}
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert (fulfilment.state, fulfilment.failure) == (
        FulfilmentState.FAILED,
        Failure.TOOL_NOT_SET_UP,
    )


def test_the_vendor_is_told_once_until_the_pool_is_refilled(pool, acme, mailbox):
    def notices():
        return db.session.scalars(db.select(Notice)).all()

    pool.change(threshold=2, warn_to="vendor@example.com", by=None)
    assert notices() == []  # it is new
    fill(pool, *(f"A-{n}" for n in range(5)))
    pool.look_at_stock()
    for number, told in ((1, 0), (2, 0), (3, 1), (4, 1)):
        jobs.fulfil(paid(pool, f"A{number:010}").id)
        assert len(notices()) == told, number
    assert notices()[0].to == "vendor@example.com"
    assert notices()[0].pool is pool
    fill(pool, "B-1", "B-2", "B-3")
    jobs.fulfil(paid(pool, "A0000000009").id)
    assert pool.warned_at is None
    jobs.fulfil(paid(pool, "A0000000010").id)
    assert len(notices()) == 2


def test_a_pool_says_for_how_many_days_it_lasts(pool, acme, mailbox):
    fill(pool, *(f"A-{n}" for n in range(5)))
    assert pool.days_left is None
    jobs.fulfil(paid(pool).id)
    assert pool.days_left == 4
    pool.created_at = clock.now() - timedelta(days=7)
    assert pool.days_left == 28


def test_a_title_is_given_once(pool):
    with pytest.raises(Refused, match="title_taken"):
        Pool.add("Sentinel keys", by=None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", " "),
        ("title", "Sentinel\nkeys"),
        ("title", "x" * 201),
        ("threshold", -1),
        ("threshold", 99_999_999_999),
        ("warn_to", "nobody"),
        ("warn_to", "jörg@example.com"),
    ],
)
def test_settings_that_cannot_be_are_neither_added_nor_changed(pool, field, value):
    with pytest.raises(Unsound, match=field):
        pool.change(by=None, **{field: value})
    with pytest.raises(Unsound, match=field):
        Pool.add(by=None, **{"title": "Other", field: value})
    assert Pool.all() == [pool]


def test_settings_are_kept_as_they_are_meant(pool):
    pool.change(by=None, threshold="2000000000", warn_to=" Vendor@EXAMPLE.com ")
    db.session.commit()
    assert (pool.title, pool.threshold) == ("Sentinel keys", 2_000_000_000)
    assert pool.warn_to == "Vendor@example.com"
    pool.change(by=None, warn_to="")
    assert pool.warn_to is None


def test_eight_workers_take_each_license_once_and_lose_none(app, pool, acme, database):
    fill(pool, *(f"A-{n}" for n in range(70)))
    fulfilments = [paid(pool, f"A{n:010}", quantity=2) for n in range(1, 41)]
    requests = [request_of(fulfilment, 2) for fulfilment in fulfilments]
    settings, answers, failures = tool.Settings(pool_id=pool.id), [], []
    db.session.commit()

    def work(mine):
        try:
            with app.app_context():
                answers.extend(
                    (request.item_id, tool.obtain(request, settings)) for request in mine
                )
        except Exception as error:
            failures.append(error)

    threads = [Thread(target=work, args=(requests[number::8],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    given = [
        (item, text) for item, got in answers if isinstance(got, Licenses) for text in got.texts
    ]
    assert len({text for _item, text in given}) == len(given) == 70
    assert sum(isinstance(got, Waits) for _item, got in answers) == 5
    assert pool.stock == 0
    db.session.rollback()

    fill(pool, *(f"B-{n}" for n in range(10)))
    assert len(waiting.serve(pool.id)) == 0  # nobody has written down that they wait
    again = [tool.obtain(request, settings) for request in requests]
    given = {text for got in again for text in got.texts}
    assert len(given) == 80
    assert pool.stock == 0
    assert len(stock.unsaved(requests[0].item_id)) == 2


def test_what_is_reserved_for_an_item_is_not_said_to_be_missing(pool, acme):
    fill(pool, "A-1", "A-2")
    fulfilment = paid(pool, quantity=3)
    jobs.fulfil(fulfilment.id)
    db.session.refresh(fulfilment)
    assert "one license is missing" in standing.of(fulfilment.item).sentence
