"""A delivery is written down before it leaves, and what became of it after, whatever happens."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from portal import clock, postman
from portal.extensions import db
from portal.models import Delivery, DeliveryStatus, Order, outbox
from portal.models.history import What
from portal.quoted_secrets import without_secrets
from tests.people import CODE, bring_in, order_document


@pytest.fixture
def delivery(license, rob):
    delivery = license.resend(by=rob, token=secrets.token_urlsafe(24))
    db.session.commit()
    return delivery


def newest(order):
    db.session.expire_all()
    return order.history[0]


def test_an_accepted_mail_is_sent_and_in_the_history(order, delivery):
    postman.deliver(delivery)
    assert delivery.status is DeliveryStatus.SENT
    assert newest(order).what is What.EMAIL_SENT


@pytest.mark.parametrize(
    ("fault", "status", "what"),
    [
        ({"at": "RCPT", "answer": "550 5.1.1 No"}, DeliveryStatus.FAILED, What.EMAIL_NOT_SENT),
        ({"at": "BODY", "does": "silence"}, DeliveryStatus.UNKNOWN, What.EMAIL_UNKNOWN),
    ],
)
def test_what_became_of_a_mail_is_committed(order, delivery, mail_server, fault, status, what):
    mail_server(**fault)
    postman.deliver(delivery)
    db.session.rollback()
    assert delivery.status is status
    assert newest(order).what is what
    assert newest(order).failure == delivery.failure


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("550 No \0such\x1b[31m user", "550 No such[31m user"),
        ("550-No\r\n550 such user", "550 No\nsuch user"),
        (f"550 {5_000 * 'x'}", f"550 {2_000 * 'x'}…"),
    ],
)
def test_whatever_a_mail_server_answers_the_outcome_is_written(
    order, delivery, mail_server, said, kept
):
    mail_server(at="RCPT", answer=said)
    postman.deliver(delivery)
    assert delivery.status is DeliveryStatus.FAILED
    assert newest(order).what is What.EMAIL_NOT_SENT
    assert delivery.answer == newest(order).answer == kept


def test_nobody_is_told_to_send_again_what_may_have_been_sent(order, delivery, mail_server):
    mail_server(at="BODY", does="drop")
    postman.deliver(delivery)
    assert "Ask the customer whether it arrived" in newest(order).reason
    assert "Try again" not in newest(order).reason


def test_a_mail_that_cannot_be_composed_has_failed(order, delivery, mailbox):
    license = delivery.licenses[0]
    license.sealed = b"\0" * len(license.sealed)
    license.__dict__.pop("text", None)
    db.session.commit()
    postman.deliver(delivery)
    assert delivery.status is DeliveryStatus.FAILED
    assert newest(order).what is What.EMAIL_NOT_SENT
    assert mailbox.empty


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "write", [postman.deliver, lambda _delivery: outbox.settle_lost()], ids=["sent", "settled"]
)
def test_an_outcome_waits_for_an_import_that_erases_the_order(app, delivery, write):
    delivery_id, delivery.due_at = delivery.id, clock.now()
    db.session.commit()

    def write_outcome():
        with app.app_context():
            write(db.session.get(Delivery, delivery_id))

    with Session(db.engine) as other, ThreadPoolExecutor(1) as thread:
        other.execute(db.select(Order.id).with_for_update())  # an import begins like this
        written = thread.submit(write_outcome)
        while not other.scalar(db.text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert not written.done()
        other.execute(db.update(Delivery).values(to="", answer=None))
        other.commit()
        written.result()
    delivery = db.session.get(Delivery, delivery_id)
    assert delivery.status is not DeliveryStatus.SENDING
    assert [entry.to for entry in delivery.order.history] == [""]


def test_a_delivery_whose_sender_has_gone_may_have_been_sent(order, delivery):
    delivery.due_at = clock.now()
    db.session.commit()
    assert outbox.settle_lost() == [delivery]
    assert delivery.status is DeliveryStatus.UNKNOWN
    assert "may have been sent to kim@example.com" in newest(order).sentence


def test_each_delivery_has_a_message_id_of_its_own(acme, rob):
    order = bring_in(order_document(codes=["A-1", "B-2"]))
    for license in order.items[0].licenses:
        license.resend(by=rob, token=secrets.token_urlsafe(24))
    db.session.commit()
    assert len({delivery.message_id for delivery in order.deliveries}) == 2


LONG = "X" * 90 + "-TAIL99"


@pytest.mark.parametrize(
    ("code", "quoted"),
    [
        ("KEY=AAAA=BBBB==", "KEY=3DAAAA=3DBBBB=3D=3D"),
        ("SCHLÜSSEL-ÄÖÜ-1", "SCHL=C3=9CSSEL-=C3=84=C3=96=C3=9C-1"),
        (LONG, f"{LONG[:75]}=\n{LONG[75:]}"),
        (LONG, LONG[:40]),
        ("A<&>B-4711", "A&lt;&amp;&gt;B-4711"),
        ("one line of it\nand another", "and ano=\nther"),
        (CODE, f"{CODE[:11]}\n5.7.1 {CODE[11:]}"),
        (CODE, CODE.lower()),
        ("https://acme.example/get?key=A/B", "https%3A%2F%2Facme.example%2Fget%3Fkey%3DA%2FB"),
        (CODE, f"{CODE[:15]}…"),
    ],
)
def test_a_license_that_is_quoted_as_it_was_encoded_is_in_no_answer(code, quoted):
    answer = f"554 5.7.1 Looks like spam: {quoted}"
    assert without_secrets(answer, code.split("\n")) == "554 5.7.1 …"
    assert without_secrets(f"Bad: {quoted}", code.split("\n")) == "…"


@pytest.mark.parametrize("code", [CODE, LONG, "https://acme.example/activate?code=1234"])
def test_what_quotes_no_license_is_kept(code):
    answer = "550 5.1.1 <kim@example.com> unknown, see https://acme.net/help?code=550\nSorry"
    assert without_secrets(answer, [code]) == answer


def test_a_license_that_the_mail_server_quotes_is_not_in_the_history(license, rob, mail_server):
    mail_server(at="BODY", answer=f"554 5.7.1 Looks like spam: {CODE} (line 7)")
    delivery = postman.resend(license, by=rob, token="t" * 20)
    assert delivery.answer == "554 5.7.1 Looks like spam: … (line 7)"
    assert delivery.order.history[0].answer == delivery.answer
