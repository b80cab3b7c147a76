"""Orders come in from Noventiq Checkout: one message for each product, in any order."""

import json
from decimal import Decimal
from itertools import permutations

import pytest

from portal.extensions import db
from portal.fulfilment.answer import Licenses
from portal.intake import noventiq
from portal.models import (
    Fulfilment,
    FulfilmentState,
    Hook,
    MessageOutcome,
    Order,
    PageSecret,
    ReceivedMessage,
    What,
)
from tests.people import CODE, KIM, bring_in, item_document, order_document
from tests.support.application import statements
from tests.support.senders import Sender, message, part

SECRET = "secret_key"
# What the documentation of Noventiq Checkout gives for the message below and this secret.
SIGNATURE = (
    "1d0e480e14922b2e330216b2d34b3b9998267067143cf9ef7caaf3637de0307f"
    "207b7c6b1cd94ece313366baa24014c488796eef3dabbe8e60e7d1e72c73918d"
)
DOCUMENTED = part(
    "order.created",
    paid=False,
    create_date="2021-08-13T09:16:35+03:00",
    event_date="2021-08-13T09:16:35+03:00",
    customer={"email": "customer@gmail.com"},
)
PLACED = "2026-11-02T10:00:00+01:00"
REFUND = "2026-11-05T10:00:00+01:00"
LATER = "2026-11-06T10:00:00+01:00"


@pytest.fixture
def noventiq_sends(app, acme):
    """Noventiq Checkout, which signs with a secret of Acme's checkout page."""
    PageSecret.add(acme, Hook.NOVENTIQ, SECRET)
    db.session.commit()
    return Sender(app, "/hooks/acme/noventiq", SECRET)


def saved(number="A0005555555"):
    db.session.expire_all()
    return db.session.get(Order, Order.id_of(number))


def messages():
    return db.session.scalars(db.select(ReceivedMessage).order_by(ReceivedMessage.id)).all()


def what_happened(order):
    return [entry.what for entry in order.history]


def placed(code="1001", number=1, of=1, **changes):
    return part(
        "order.created",
        code=code, number=number, of=of, paid=False, **{"event_date": PLACED} | changes,
    )  # fmt: skip


def returned(code="1001", number=1, of=1, **changes):
    changes = {"event_date": REFUND} | changes
    return part("product.returned", code=code, number=number, of=of, **changes)


def test_the_documented_example_verifies(noventiq_sends):
    assert noventiq.signature_of(DOCUMENTED, SECRET) == SIGNATURE
    answer = noventiq_sends.post(json.dumps(DOCUMENTED), {"signature": SIGNATURE})
    assert (answer.status_code, answer.json["outcome"]) == (200, "imported")
    assert (saved().status, saved().email) == ("not paid", "customer@gmail.com")


def changed(**changes):
    return part(**{"event": "order.created", "paid": False} | {
        "create_date": "2021-08-13T09:16:35+03:00",
        "event_date": "2021-08-13T09:16:35+03:00",
        "customer": {"email": "customer@gmail.com"},
    } | changes)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        pytest.param(DOCUMENTED, {}, id="no signature"),
        pytest.param(DOCUMENTED, {"signature": ""}, id="empty"),
        pytest.param(DOCUMENTED, {"signature": SIGNATURE.upper()}, id="capital letters"),
        pytest.param(DOCUMENTED, {"signature": f" {SIGNATURE[:-1]}"}, id="cut off"),
        pytest.param(DOCUMENTED, {"signature": f"{SIGNATURE}0"}, id="too long"),
        pytest.param(DOCUMENTED, {"signature": "é" + SIGNATURE[1:]}, id="not ASCII"),
        pytest.param(DOCUMENTED, {"x-signature": SIGNATURE}, id="another header"),
        pytest.param(changed(event="order.payment.succeeded"), None, id="another event"),
        pytest.param(changed(order_id=5555556), None, id="another order"),
        pytest.param(changed(create_date="2021-08-13T09:16:36+03:00"), None, id="another date"),
        pytest.param(changed(payment={"payment_method": "PayPal"}), None, id="another method"),
        pytest.param(changed(currency="USD"), None, id="another currency"),
        pytest.param(changed(customer={"email": "eve@example.com"}), None, id="another address"),
        pytest.param(changed(customer={"email": None}), None, id="no address"),
        pytest.param({"event": "order.created"}, None, id="nothing else"),
        pytest.param(changed() | {"payment": "x", "customer": 1}, None, id="other kinds"),
        pytest.param([DOCUMENTED], None, id="a list"),
        pytest.param("text", None, id="a text"),
        pytest.param(changed() | {"order_id": [[1]]}, None, id="a list for a number"),
    ],
)
def test_every_wrong_variant_is_refused_and_not_kept(noventiq_sends, given, headers):
    signature = {"signature": SIGNATURE} if headers is None else headers
    answer = noventiq_sends.post(json.dumps(given), signature)
    assert answer.status_code == 401
    assert answer.json["error"] == "unauthorized"
    assert messages() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 50_000,
        b'{"order_id": ' + b"9" * 10_000 + b"}",
        b'{"event": "\\ud800"}',
    ],
    ids=["empty", "not UTF-8", "deep", "a long number", "half a character"],
)
def test_what_cannot_be_read_is_refused_like_what_is_not_signed(noventiq_sends, body):
    assert noventiq_sends.post(body, {"signature": SIGNATURE}).status_code == 401


def test_a_secret_is_good_for_its_page_and_its_kind_alone(noventiq_sends, nordsoft):
    PageSecret.add(nordsoft, Hook.WEBHOOK)
    body = json.dumps(DOCUMENTED)
    for path in ("/hooks/nordsoft/noventiq", "/hooks/nowhere/noventiq", "/hooks/acme"):
        noventiq_sends.path = path
        assert noventiq_sends.post(body, {"signature": SIGNATURE}).status_code == 401


@pytest.mark.parametrize(
    "signature", ["", SIGNATURE.upper(), SIGNATURE[:-1], f"{SIGNATURE}0", "x" * 128, "٠" * 128]
)
def test_what_cannot_be_a_signature_costs_nothing(app, noventiq_sends, signature):
    with statements(app) as found:
        answer = noventiq_sends.post(json.dumps(DOCUMENTED), {"signature": signature})
    assert answer.status_code == 401
    assert found == []


@pytest.mark.parametrize("signature", [SIGNATURE, ""])
def test_a_message_of_more_than_64_kib_is_too_large(noventiq_sends, signature):
    body = json.dumps(DOCUMENTED)
    most = body + " " * (64 * 1024 - len(body))
    answer = noventiq_sends.post(most, {"signature": SIGNATURE})
    assert answer.status_code == 200
    answer = noventiq_sends.post(most + " ", {"signature": signature})
    assert (answer.status_code, answer.json["error"]) == (413, "too_large")


@pytest.mark.settings(SESSION_COOKIE_SECURE=True, TRUSTED_PROXIES=1)
def test_it_is_accepted_over_tls_alone(noventiq_sends):
    body, headers = noventiq_sends.request(part())
    answer = noventiq_sends.post(body, headers)
    assert (answer.status_code, answer.json["error"]) == (403, "not_encrypted")
    assert messages() == []
    over_tls = headers | {"X-Forwarded-Proto": "https"}
    assert noventiq_sends.post(body, over_tls).status_code == 200


def test_the_fields_of_a_paid_part_become_an_order(noventiq_sends):
    told = part(
        external_id="EXT-7",
        product={"quantity": "3", "amount": "89.85", "name": "Sentinel", "sku": "AV-1Y"},
        customer={"company_name": "Larsen & Co", "type": "legal", "phone": "+49 30 1"},
    )
    assert noventiq_sends.tell(told).json == {"outcome": "imported", "order": "A0005555555"}
    order = saved()
    assert (order.number, order.status, order.checkout_page.code) == (
        "A0005555555", "paid", "acme",
    )  # fmt: skip
    assert (order.external_id, order.currency, str(order.total)) == ("EXT-7", "EUR", "89.85")
    assert (order.locale, order.payment_method) == ("en_EN", "CreditCard")
    assert (order.email, order.customer_name, order.company) == (KIM, "Kim Larsen", "Larsen & Co")
    assert (order.country, order.customer_type, order.phone) == ("DE", "legal", "+49 30 1")
    assert order.paid_at.isoformat() == "2026-11-02T09:05:00+00:00"
    (item,) = order.items
    assert (item.ref, item.product_code, item.sku) == ("1001", "1001", "AV-1Y")
    assert (item.product_name, item.quantity, str(item.amount)) == ("Sentinel", 3, "89.85")
    assert what_happened(order) == [What.ORDER_PAID]


@pytest.mark.parametrize(
    ("product", "ref"),
    [({"id": 111111}, "111111"), ({"id": "", "vendor_code": "0001"}, "0001")],
    ids=["a number", "the vendor's code"],
)
def test_a_product_is_known_by_its_id_or_by_the_code_of_the_vendor(noventiq_sends, product, ref):
    assert noventiq_sends.tell(part(product=product)).status_code == 200
    assert saved().items[0].ref == ref


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"order_name": "A0005555556"}, "order_name: is not the name of the order_id"),
        ({"order_name": ""}, "order_name: must be an order number such as A0005555555"),
        ({"event_date": "soon"},
         "event_date: must be a time with an offset, such as 2026-11-01T10:00:00+00:00"),
        ({"document_part": "3-of-2"}, "document_part: must be a part such as 1-of-2"),
        ({"document_part": "1"}, "document_part: must be a part such as 1-of-2"),
        ({"customer": {"email": ""}}, "customer.email: is not an e-mail address"),
        ({"customer": {"first_name": "Kim\n"}},
         "customer.first_name: has a line break or another control character"),
        ({"product": {"amount": "-29.95"}}, "product.amount: must be an amount such as 29.95"),
        ({"product": {"quantity": 0}}, "product.quantity: must be at least 1"),
        ({"product": {"id": ""}}, "product: needs an id or a vendor_code"),
    ],
)  # fmt: skip
def test_what_is_not_the_documented_schema_is_refused_with_the_field_and_kept(
    noventiq_sends, changes, complaint
):
    answer = noventiq_sends.tell(part(**changes))
    assert (answer.status_code, answer.json["because"]) == (422, complaint)
    (received,) = messages()
    assert (received.outcome, received.complaint) == (MessageOutcome.REJECTED, complaint)
    assert received.type == "order.payment.succeeded"


def test_a_field_that_is_there_twice_is_refused(noventiq_sends):
    body, headers = noventiq_sends.request(part())
    twice = body.replace('"quantity": 1', '"quantity": 100, "quantity": 1')
    answer = noventiq_sends.post(twice, headers)
    assert (answer.status_code, answer.json["because"]) == (422, "quantity: is there twice")
    assert saved() is None


@pytest.mark.parametrize("event", ["product.delivered", "subscription.cancelled", "x" * 500])
def test_other_events_are_acknowledged_and_ignored(noventiq_sends, event):
    answer = noventiq_sends.tell(part(event))
    assert (answer.status_code, answer.json["outcome"]) == (200, "ignored")
    assert saved() is None
    assert messages()[0].outcome is MessageOutcome.IGNORED


def test_the_same_message_again_changes_nothing_and_another_part_is_another(noventiq_sends):
    parts = [part(code=p, number=n, of=2) for n, p in ((1, "1001"), (2, "1002"))]
    outcomes = [noventiq_sends.tell(told).json["outcome"] for told in (*parts, *parts)]
    assert outcomes == ["imported", "updated", "imported", "updated"]
    assert len(messages()) == len(saved().items) == 2


STORY = {
    "placed 1": placed("1001", 1, 2),
    "placed 2": placed("1002", 2, 2, product={"id": "1002", "amount": "10.00"}),
    "paid 1": part(code="1001", number=1, of=2),
    "paid 2": part(code="1002", number=2, of=2, product={"id": "1002", "amount": "10.00"}),
}


@pytest.mark.parametrize("turn", list(permutations(STORY)), ids=", ".join)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_parts_of_an_order_come_in_any_order(noventiq_sends, turn):
    for name in turn:
        assert noventiq_sends.tell(STORY[name]).status_code == 200
    order = saved()
    assert (order.status, str(order.total)) == ("paid", "39.95")
    assert sorted(item.ref for item in order.items) == ["1001", "1002"]
    assert {item.position for item in order.items} == {1, 2}
    assert what_happened(order) == [What.ORDER_PAID]
    assert "1001" in order.search_text
    assert "1002" in order.search_text


REFUNDS = STORY | {"back 1": returned("1001", 1, 2), "back 2": returned("1002", 2, 2)}
TURNS = [turn for number, turn in enumerate(permutations(REFUNDS)) if number % 31 == 0]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("turn", list(permutations(range(3))))
def test_an_order_that_comes_by_both_webhooks_is_fulfilled_once(app, noventiq_sends, acme, turn):
    own = Sender(app, "/hooks/acme", PageSecret.add(acme, Hook.WEBHOOK))
    db.session.commit()
    items = [
        item_document(ref, codes=(), product={"id": code, "name": f"Product {code}"})
        for ref, code in (("1", "1001"), ("2", "2002"))
    ]
    messages = [
        (own, message(items=items, total="59.90")),
        (noventiq_sends, part(code="1001", number=1, of=2)),
        (noventiq_sends, part(code="2002", number=2, of=2)),
    ]
    for _time in range(2):
        for number in turn:
            sender, given = messages[number]
            assert sender.tell(given).status_code == 200
    order = saved()
    assert sorted(item.product_code for item in order.items) == ["1001", "2002"]
    assert len(db.session.scalars(db.select(Fulfilment)).all()) == 2
    assert order.total == Decimal("59.90")
    assert what_happened(order) == [What.ORDER_PAID]


@pytest.mark.parametrize("turn", list(permutations(range(2))))
def test_an_order_that_comes_by_both_webhooks_is_returned_by_either(
    app, noventiq_sends, acme, turn
):
    own = Sender(app, "/hooks/acme", PageSecret.add(acme, Hook.WEBHOOK))
    db.session.commit()
    messages = [(own, message()), (noventiq_sends, part(code="1001"))]
    for number in turn:
        sender, given = messages[number]
        assert sender.tell(given).status_code == 200
    item = item_document(codes=(), refunded_at=REFUND)
    refund = message("item.refunded", at=REFUND, items=[item])
    assert own.tell(refund).status_code == 200
    order = saved()
    assert [item.refunded_at is not None for item in order.items] == [True]
    assert order.status == "deleted"


@pytest.mark.parametrize("turn", TURNS, ids=", ".join)
def test_an_order_all_of_which_comes_back_ends_deleted_in_whatever_order(noventiq_sends, turn):
    for name in turn:
        assert noventiq_sends.tell(REFUNDS[name]).status_code == 200
    order = saved()
    assert order.status == "deleted"
    assert all(item.refunded_at for item in order.items)
    assert order.paid_at is not None
    history = what_happened(order)
    assert history.count(What.ORDER_DELETED) == 1
    assert history.count(What.ITEM_REFUNDED) == 2


# One that names itself the only part is believed where nothing else is known.
ONE_BACK = [
    (turn, named)
    for turn in permutations(["paid 1", "paid 2", "back 1"])
    for named in ("1-of-2", "1-of-1")
    if (turn[0], named) != ("back 1", "1-of-1")
]


@pytest.mark.parametrize(("turn", "named"), ONE_BACK, ids=str)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_order_of_which_one_product_comes_back_stays_paid(noventiq_sends, turn, named):
    for name in turn:
        given = REFUNDS[name]
        noventiq_sends.tell(given | {"document_part": named} if name == "back 1" else given)
    order = saved()
    assert order.status == "paid"
    assert {item.ref: bool(item.refunded_at) for item in order.items} == {
        "1001": True,
        "1002": False,
    }


def test_a_return_leaves_what_was_sold_as_it_was(noventiq_sends):
    noventiq_sends.tell(part(product={"quantity": 3, "amount": "89.85"}))
    noventiq_sends.tell(returned(of=1, product={"quantity": 1, "amount": "0.00"}))
    (item,) = saved().items
    assert (item.quantity, str(item.amount), str(saved().total)) == (3, "89.85", "89.85")
    assert item.refunded_at.isoformat() == "2026-11-05T09:00:00+00:00"


def test_a_return_revokes_the_license_of_an_order_that_came_another_way(noventiq_sends, acme):
    bring_in(order_document())
    noventiq_sends.tell(returned("1001"))
    (item,) = saved().items
    assert (item.ref, item.licenses[0].text) == ("1", CODE)
    assert item.licenses[0].resend_refusal().word == "order_not_paid"
    assert saved().status == "deleted"
    assert str(saved().total) == "29.95"


def test_a_newer_part_with_another_amount_changes_the_total_by_the_difference(noventiq_sends):
    noventiq_sends.tell(placed("1001", 1, 2))
    noventiq_sends.tell(placed("1002", 2, 2))
    noventiq_sends.tell(part(number=1, of=2, product={"id": "1001", "amount": "20.00"}))
    assert str(saved().total) == "49.95"
    late = placed("1001", 1, 2, event_date="2026-11-02T10:01:00+01:00", product={"amount": "1.00"})
    assert noventiq_sends.tell(late).json["outcome"] == "unchanged"
    assert str(saved().total) == "49.95"


def test_each_item_keeps_what_is_newest_of_it(noventiq_sends):
    """The order may have been told of later than one of its items was."""
    noventiq_sends.tell(placed("1001", 1, 2))
    noventiq_sends.tell(part(code="1002", number=2, of=2, event_date=LATER))
    told = part(number=1, of=2, product={"id": "1001", "name": "Sentinel 2"})
    assert noventiq_sends.tell(told).json["outcome"] == "updated"
    assert [item.product_name for item in saved().items] == ["Sentinel 2", "Product 1002"]


def test_a_payment_that_failed_is_one_entry_for_all_parts(noventiq_sends):
    for number, code in ((1, "1001"), (2, "1002")):
        told = part("order.payment.failed", code=code, number=number, of=2, paid=False)
        assert noventiq_sends.tell(told).status_code == 200
    assert saved().status == "not paid"
    assert [entry.sentence for entry in saved().history] == ["A payment failed"]


def test_what_is_not_signed_pays_for_nothing(noventiq_sends):
    """The signature covers the event, and neither the time of payment nor the status."""
    told = placed() | {"pay_date": PLACED, "status": "paid"}
    assert noventiq_sends.tell(told).json["outcome"] == "imported"
    assert (saved().status, saved().paid_at) == ("not paid", None)
    failed = part("order.payment.failed", event_date=LATER)
    assert noventiq_sends.tell(failed).status_code == 200
    assert (saved().status, saved().paid_at) == ("not paid", None)
    assert saved().items[0].fulfilment is None
    assert noventiq_sends.tell(part()).json["outcome"] == "updated"
    assert saved().status == "paid"


@pytest.mark.parametrize("status", ["terminated", "deleted"])
@pytest.mark.parametrize("event", ["order.created", "order.payment.succeeded"])
def test_what_is_not_signed_ends_no_order(noventiq_sends, event, status):
    noventiq_sends.tell(part())
    assert noventiq_sends.tell(part(event, event_date=LATER, status=status)).status_code == 200
    assert saved().status == "paid"


@pytest.mark.parametrize("quantity", [100_000, 1])
def test_what_is_being_fulfilled_keeps_its_quantity_which_is_not_signed(noventiq_sends, quantity):
    noventiq_sends.tell(placed(product={"quantity": 5}))
    noventiq_sends.tell(part(product={"quantity": 2}))
    assert saved().items[0].quantity == 2
    told = part(event_date=LATER, product={"quantity": quantity, "name": "Sentinel 2"})
    assert noventiq_sends.tell(told).json["outcome"] == "updated"
    assert (saved().items[0].quantity, saved().items[0].product_name) == (2, "Sentinel 2")


def test_what_was_fulfilled_is_not_begun_again(noventiq_sends):
    noventiq_sends.tell(part())
    (fulfilment,) = [item.fulfilment for item in saved().items]
    fulfilment.take(Licenses([CODE]))
    db.session.commit()
    noventiq_sends.tell(part(event_date=LATER, product={"quantity": 3}))
    (item,) = saved().items
    assert (item.quantity, item.fulfilment.state) == (1, FulfilmentState.DONE)
    assert saved().is_delivered


def test_an_order_of_another_page_stays_there(noventiq_sends, nordsoft):
    bring_in(order_document(checkout_page="nordsoft"))
    answer = noventiq_sends.tell(part())
    assert answer.status_code == 422
    assert answer.json["because"] == "checkout_page: the order belongs to another checkout page"
