"""A license that an order has, by whatever way it got there, is given to nobody else."""

from threading import Thread

import pytest

from portal import jobs
from portal.extensions import db
from portal.fulfilment import pool as tool
from portal.fulfilment.answer import Failure, Licenses, Waits
from portal.models import (
    Fulfilment,
    License,
    PoolLicense,
    PoolUpload,
    Refused,
    Staff,
    Tool,
    UploadState,
    replacement,
)
from portal.pools import sold, uploads
from portal.pools.findings import Findings, Kind
from tests.people import bring_in, item_document, order_document
from tests.pools import fill, paid, put_in, request_of, texts, upload_of

TOKEN = "t" * 24
OTHER_PRODUCT = {"id": "1002", "name": "Sentinel Firewall"}


def awaiting(number="A0000000009", *, quantity=1):
    """The fulfilment of an item that waits for the vendor's staff."""
    items = [item_document(codes=(), quantity=quantity, product=OTHER_PRODUCT)]
    (begun,) = Fulfilment.begin(bring_in(order_document(number, items=items)))
    begun.product.tool = Tool.LICENSE_REQUEST
    begun.take(Waits(Failure.LICENSE_AWAITED))
    db.session.commit()
    return begun


def entered(text, rob):
    fulfilment = awaiting()
    fulfilment.enter([text], by=rob, token=TOKEN)
    return fulfilment.item


def replaced(text, rob):
    order = bring_in(order_document("A0000000009", codes=("OLD-1",)))
    (license,) = order.items[0].licenses
    replacement.replace(license, text, because="Does not activate", by=rob, token=TOKEN)
    return order.items[0]


def brought_by_a_document(text, _rob):
    return bring_in(order_document("A0000000009", codes=(text,))).items[0]


def brought_later_by_a_document(text, _rob):
    bring_in(order_document("A0000000009", codes=("OLD-1",)))
    return bring_in(order_document("A0000000009", codes=("OLD-1", text))).items[0]


def answered_by_a_web_service(text, _rob):
    fulfilment = awaiting()
    fulfilment.take(Licenses([text]))
    return fulfilment.item


WAYS = [
    entered,
    replaced,
    brought_by_a_document,
    brought_later_by_a_document,
    answered_by_a_web_service,
]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_saved_lies_free_in_no_pool(pool, acme, rob, mailbox, way):
    upload = fill(pool, "a-1", "A-1", "B-1")
    item = way("A-1", rob)
    db.session.commit()
    assert (pool.stock, pool.used, upload.free) == (2, 1, 2)
    saved = next(license for license in item.licenses if license.text == "A-1")
    row = db.session.get_one(PoolLicense, saved.pool_license_id)
    assert (row.position, row.item_id) == (2, item.id)

    fulfilment = paid(pool, quantity=2)
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == ["a-1", "B-1"]
    assert pool.stock == 0


def test_the_vendor_is_told_where_a_pool_runs_low_by_that(pool, acme, rob):
    fill(pool, "A-1", "A-2")
    pool.change(threshold=1, warn_to="vendor@example.com", by=None)
    entered("A-1", rob)
    assert pool.warned_at is not None


def test_what_was_reserved_for_an_item_may_be_entered_for_it(pool, acme, rob, mailbox):
    fill(pool, "A-1", "A-2")
    fulfilment = paid(pool)
    tool.obtain(request_of(fulfilment), tool.Settings(pool_id=pool.id))
    fulfilment.product.tool = Tool.LICENSE_REQUEST
    fulfilment.take(Waits(Failure.LICENSE_AWAITED))
    fulfilment.enter(["A-1"], by=rob, token=TOKEN)
    db.session.commit()
    jobs.tend_pools()
    assert texts(fulfilment) == ["A-1"]
    assert pool.stock == 1


def given_by_a_pool(pool):
    jobs.fulfil(paid(pool).id)


def reserved(pool):
    tool.obtain(request_of(paid(pool)), tool.Settings(pool_id=pool.id))


def of_an_order(_pool):
    bring_in(order_document("A0000000008", codes=("A-1",)))


@pytest.mark.parametrize("given", [given_by_a_pool, reserved, of_an_order])
@pytest.mark.parametrize("way", [entered, replaced])
def test_what_was_given_to_another_order_is_refused(pool, acme, rob, mailbox, given, way):
    fill(pool, "A-1", "A-2")
    given(pool)
    stock = pool.stock
    with pytest.raises(Refused, match="license_given"):
        way("A-1", rob)
    db.session.rollback()
    assert pool.stock == stock


@pytest.mark.parametrize("way", [entered, replaced])
def test_what_differs_in_capital_letters_is_another_license(pool, acme, rob, way):
    of_an_order(pool)
    assert [license.text for license in way("a-1", rob).licenses][-1] == "a-1"


@pytest.mark.parametrize("given", [given_by_a_pool, reserved, of_an_order])
def test_a_document_is_never_refused(pool, acme, rob, mailbox, given):
    fill(pool, "A-1", "A-2")
    given(pool)
    item = brought_by_a_document("A-1", rob)
    assert [license.text for license in item.licenses] == ["A-1"]
    assert item.licenses[0].pool_license_id is None


def test_a_document_that_brings_a_license_twice_takes_one(pool, acme, mailbox):
    fill(pool, "A-1", "A-2")
    order = bring_in(order_document("A0000000009", codes=("A-1", "A-1")))
    sources = [license.pool_license_id for license in order.items[0].licenses]
    assert sources.count(None) == 1
    assert pool.stock == 1


def test_staff_are_told_why_and_what_was_typed_stays(signed_in, rob, pool, acme, mailbox):
    of_an_order(pool)
    awaiting(quantity=2)
    question = signed_in(rob).open("/orders/A0000000009").press("Enter the license")
    question.fill("License 1 of 2", "NEW-1").fill("License 2 of 2", "A-1")
    refused = question.press("Save and send")
    assert refused.status == 422
    assert "License 2 of these was given to another order. Enter another one." in refused.text
    assert "NEW-1" in refused.text
    assert refused.fill("License 2 of 2", "NEW-2").press("Save and send").status == 200


def test_staff_are_told_why_a_license_is_no_replacement(signed_in, rob, pool, order):
    of_an_order(pool)
    question = signed_in(rob).open("/orders/A0005555555").press("Replace")
    question.fill("New license", "A-1").fill("What is wrong with the former one", "Is faulty")
    refused = question.press("Replace and send")
    assert refused.status == 422
    assert "This license was given to another order." in refused.text
    assert len(order.items[0].licenses) == 1


# At one moment


def at_once(app, deeds):
    """Do `deeds` in threads of their own; what they were refused."""
    refused, failures = [], []
    db.session.commit()

    def run(deed):
        try:
            with app.app_context():
                deed()
                db.session.commit()
        except Refused as refusal:
            refused.append(refusal)
        except Exception as error:
            failures.append(error)

    threads = [Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return refused


def entering(fulfilment, text, rob):
    ids = fulfilment.id, rob.id

    def enter():
        found, by = db.session.get_one(Fulfilment, ids[0]), db.session.get_one(Staff, ids[1])
        found.item.order.lock()
        found.enter([text], by=by, token=f"{TOKEN}{ids[0]}")

    return enter


def test_two_people_enter_the_same_license_at_one_moment_and_one_of_them_may(app, pool, acme, rob):
    waiting = [awaiting(f"A{number:010}") for number in range(1, 7)]
    refused = at_once(app, [entering(fulfilment, "A-1", rob) for fulfilment in waiting])
    assert len(refused) == 5
    assert [text for each in waiting for text in texts(each)] == ["A-1"]


def test_what_a_person_enters_while_a_pool_gives_it_goes_to_one_of_them(app, pool, acme, rob):
    fill(pool, *(f"A-{number}" for number in range(12)))
    waiting = [awaiting(f"A{number:010}") for number in range(1, 7)]
    taking = [paid(pool, f"A{number:010}") for number in range(11, 17)]
    deeds = []
    for number, (one, other) in enumerate(zip(waiting, taking, strict=True)):
        request, settings = request_of(other), tool.Settings(pool_id=pool.id)
        deeds.append(entering(one, f"A-{number}", rob))
        deeds.append(lambda request=request, settings=settings: tool.obtain(request, settings))
    refused = at_once(app, deeds)
    db.session.expire_all()
    entered_ones = [text for each in waiting for text in texts(each)]
    assert len(entered_ones) == 6 - len(refused)
    rows = db.session.scalars(db.select(PoolLicense).where(PoolLicense.item_id.is_not(None)))
    assert len(rows.all()) == len(entered_ones) + 6
    assert pool.stock == 12 - len(entered_ones) - 6
    jobs.sweep()
    for other in taking:
        jobs.fulfil(other.id)
    given = [text for each in (*waiting, *taking) for text in texts(each)]
    assert len(set(given)) == len(given) == len(entered_ones) + 6


# Since the file was read


def test_what_was_sold_since_a_file_was_read_does_not_go_into_the_pool(pool, acme, rob):
    upload = upload_of(pool, "A-1\nA-2\nA-3\na-1\n")
    brought_by_a_document("A-1", rob)
    entered_for = awaiting("A0000000010")
    entered_for.enter(["A-3"], by=rob, token=TOKEN)
    db.session.commit()
    uploads.publish(upload, by=None)
    assert (upload.size, upload.free, pool.stock, pool.used) == (2, 2, 2, 0)
    counts = Findings.load(upload.report).counts
    assert (counts[Kind.NEW], counts[Kind.SOLD]) == (2, 2)
    taking = paid(pool, quantity=2)
    jobs.fulfil(taking.id)
    assert texts(taking) == ["A-2", "a-1"]


def test_however_much_was_sold_since(pool, acme, rob, monkeypatch):
    monkeypatch.setattr(sold, "CHUNK", 3)
    upload = upload_of(pool, "\n".join(f"A-{number}" for number in range(10)))
    codes = [f"A-{number}" for number in range(7)]
    bring_in(order_document("A0000000009", codes=codes))
    uploads.publish(upload, by=None)
    assert pool.stock == 3


def test_an_upload_of_which_all_was_sold_is_not_published(signed_in, ada, pool, acme, rob):
    upload = upload_of(pool, "A-1\n")
    page = signed_in(ada).open(f"/pools/{pool.id}/uploads/{upload.id}")
    brought_by_a_document("A-1", rob)
    answer = page.press("Put 1 license into the pool")
    assert answer.status == 409
    assert "There is no new license in it." in answer.text
    assert "1 Sold already: left out" in answer.part("upload").text
    assert upload.state is UploadState.READ
    uploads.discard(upload)


def test_what_is_being_saved_while_an_upload_is_published_is_not_in_the_pool(
    app, pool, acme, rob, database
):
    upload = upload_of(pool, "A-1\nA-2\n")
    fulfilment, upload_id = awaiting(), upload.id
    fulfilment.item.order.lock()
    fulfilment.enter(["A-1"], by=rob, token=TOKEN)
    db.session.flush()  # and not committed yet

    def publish():
        with app.app_context():
            uploads.publish(db.session.get_one(PoolUpload, upload_id), by=None)

    thread = Thread(target=publish)
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    db.session.commit()
    thread.join()
    db.session.expire_all()
    assert (upload.state, upload.free) == (UploadState.PUBLISHED, 1)


def test_what_was_sold_before_a_file_was_read_is_not_looked_at_again(pool, acme, rob):
    brought_by_a_document("A-1", rob)
    last = db.session.scalars(db.select(License.id)).one()
    upload, _due = put_in(pool, "A-2\n")
    assert upload.sold_until == last
