"""The vendor is told what it has to do: once, until it arrives, and never with a license."""

from datetime import timedelta

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.models import Fulfilment, HistoryEntry, Notice, NoticeKind, OrderStatus, Pool, What
from portal.models.fulfilment import FulfilmentState
from portal.models.product import Tool
from tests.people import bring_in, order_document

VENDOR, STAFF = "vendor@acme.example", "keys@acme.example"


@pytest.fixture
def fulfilment(acme):
    """An item of a paid order whose license is to be entered by the vendor's staff."""
    acme.vendor_email = VENDOR
    order = bring_in(order_document(codes=(), customer={"company": "Larsen & Sons"}))
    (begun,) = Fulfilment.begin(order)
    begun.product.tool = Tool.LICENSE_REQUEST
    db.session.commit()
    return begun


def told(order):
    db.session.expire_all()
    return [entry.what for entry in order.history if entry.what.startswith("vendor")]


def notices():
    db.session.expire_all()
    return list(db.session.scalars(db.select(Notice)))


@pytest.mark.settings(PORTAL_URL="https://keydesk.example.com/")
def test_the_vendor_is_told_which_order_needs_a_license(fulfilment, mailbox):
    jobs.fulfil(fulfilment.id)
    (mail,) = mailbox.wait_for(1)
    assert mail.recipients == [VENDOR]
    assert mail["Subject"] == "Order A0005555555 needs a license for Sentinel Antivirus, 1 year"
    for text in (mail.plain, mail.html.replace("&amp;", "&")):
        assert "https://keydesk.example.com/orders/A0005555555" in text
        assert "Kim Larsen" in text
        assert "Larsen & Sons" in text
    order = fulfilment.item.order
    assert told(order) == [What.VENDOR_TOLD]
    assert order.history[0].sentence == f"The vendor was told by e-mail at {VENDOR}"


def test_what_a_customer_is_called_is_not_made_a_link_by_the_vendors_mail_program(
    fulfilment, mailbox
):
    order = fulfilment.item.order
    order.first_name, order.company = "Verify at https://evil.example/login", "www.evil.example"
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    (mail,) = mailbox.wait_for(1)
    for text in (mail.plain, mail.html):
        assert "Verify at https: //evil. example/login" in text
        assert "www. evil. example" in text


def test_who_is_told_can_be_set_for_a_product(fulfilment, mailbox):
    fulfilment.product.settings = {"notify": STAFF}
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert mailbox.wait_for(1)[0].recipients == [STAFF]


def test_the_vendor_is_told_once(fulfilment, mailbox):
    jobs.fulfil(fulfilment.id)
    fulfilment.start_again(by=None)
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert fulfilment.state is FulfilmentState.WAITING
    assert len(notices()) == len(mailbox.messages) == 1
    assert [entry.what for entry in fulfilment.item.order.history].count(What.FULFILMENT_WAITS) == 1


def test_nobody_is_told_where_the_vendor_has_no_address(fulfilment, acme, mailbox):
    acme.vendor_email = None
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    assert notices() == []
    assert mailbox.empty


def test_the_vendor_is_told_that_an_item_failed_for_good(fulfilment, mailbox):
    fulfilment.product.tool = Tool.POOL  # without a pool
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    (mail,) = mailbox.wait_for(1)
    assert "A0005555555: no license for Sentinel" in mail["Subject"]
    assert "not set up" in mail.plain
    assert told(fulfilment.item.order) == [What.VENDOR_TOLD]


@pytest.mark.parametrize(
    "fault", [{"at": "RCPT", "answer": "451 4.3.0 Later"}, {"at": "BODY", "does": "drop"}]
)
def test_a_notice_that_did_not_arrive_goes_again_under_its_message_id(
    fulfilment, mail_server, fault
):
    mail_server(**fault)
    jobs.fulfil(fulfilment.id)
    (notice,) = notices()
    assert notice.due_at > clock.now()
    assert told(fulfilment.item.order) == []

    notice.due_at = clock.now()
    db.session.commit()
    working = mail_server()
    jobs.notify(notice.id)
    (mail,) = working.wait_for(1)
    assert mail["Message-ID"] == notice.message_id
    assert (notice.due_at, notice.attempts) == (None, 2)
    assert told(fulfilment.item.order) == [What.VENDOR_TOLD]
    jobs.notify(notice.id)
    assert len(working.messages) == 1


def test_a_notice_that_is_refused_for_good_is_over_and_said(fulfilment, mail_server):
    mail_server(at="RCPT", answer="550 5.1.1 No such user")
    jobs.fulfil(fulfilment.id)
    assert notices()[0].due_at is None
    assert told(fulfilment.item.order) == [What.VENDOR_NOT_TOLD]
    assert "refused the address" in fulfilment.item.order.history[0].reason


@pytest.mark.parametrize(
    ("fault", "to"),
    [({"at": "CONNECT", "answer": "554 5.7.0 Not you"}, VENDOR), ({}, "no address at all")],
    ids=["not welcome", "not composed"],
)
def test_a_fault_of_ours_loses_no_notice(fulfilment, mail_server, fault, to):
    mail_server(**fault)
    notice = Notice.write(NoticeKind.LICENSE_NEEDED, to, item=fulfilment.item)
    db.session.commit()
    jobs.notify(notice.id)
    assert notice.due_at > clock.now()
    assert told(fulfilment.item.order) == []


def test_a_notice_that_had_to_wait_for_a_worker_has_its_whole_patience(fulfilment, mail_server):
    mail_server(at="RCPT", answer="451 4.3.0 Later")
    notice = Notice.write(NoticeKind.LICENSE_NEEDED, VENDOR, item=fulfilment.item)
    notice.created_at -= timedelta(days=3)
    db.session.commit()
    jobs.notify(notice.id)
    assert notices()[0].due_at > clock.now()

    notice.started_at -= timedelta(days=3)
    notice.due_at = clock.now()
    db.session.commit()
    jobs.notify(notice.id)
    assert notices()[0].due_at is None
    assert told(fulfilment.item.order) == [What.VENDOR_NOT_TOLD]


def test_a_notice_that_nobody_can_claim_is_tried_with_growing_waits(fulfilment, mailbox):
    notice = Notice.write(NoticeKind.LICENSE_NEEDED, VENDOR, item=fulfilment.item)
    db.session.execute(db.text("UPDATE orders SET status = 'of_tomorrow'"))  # no word of ours
    db.session.commit()
    waits = []
    for _attempt in range(2):
        notice.due_at = begun = clock.now()
        db.session.commit()
        jobs.notify(notice.id)
        waits.append(notice.due_at - begun)
    assert waits[0] < waits[1] / 2
    assert notice.attempts == 2
    assert mailbox.empty


def fulfilled(item):
    item.fulfilled_at = clock.now()


def refunded(item):
    item.refunded_at = clock.now()


def deleted(item):
    item.order.status = OrderStatus.DELETED


@pytest.mark.parametrize("change", [fulfilled, refunded, deleted])
def test_nobody_is_told_what_has_been_done_meanwhile(fulfilment, mail_server, mailbox, change):
    mail_server(at="RCPT", answer="451 4.3.0 Later")
    jobs.fulfil(fulfilment.id)
    (notice,) = notices()
    notice.due_at = clock.now()
    change(fulfilment.item)
    db.session.commit()
    server = mail_server()
    jobs.notify(notice.id)
    assert notices()[0].due_at is None
    assert server.empty


def test_a_pool_that_runs_low_is_told_of(app, mailbox):
    pool = Pool(title="Sentinel keys", threshold=50)
    db.session.add(pool)
    notice = Notice.write(NoticeKind.POOL_LOW, VENDOR, pool=pool)
    db.session.commit()
    jobs.notify(notice.id)
    (mail,) = mailbox.wait_for(1)
    assert mail["Subject"] == "The pool Sentinel keys runs low"
    assert notices()[0].sent_at
    assert db.session.scalars(db.select(HistoryEntry)).all() == []


def test_the_sweep_finds_a_notice_whose_job_was_lost(app, fulfilment):
    fulfilment.state = FulfilmentState.WAITING
    fulfilment.due_at = None
    notice = Notice.write(NoticeKind.LICENSE_NEEDED, VENDOR, item=fulfilment.item)
    db.session.commit()
    jobs.sweep()
    task = jobs.jobs().huey.dequeue()
    assert (task.name, task.args) == ("notify", (notice.id,))
