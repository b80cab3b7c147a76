"""Orders come in by our own webhook: signed, once, and never back to what was before."""

import hmac
import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal.extensions import db
from portal.fulfilment.answer import Licenses
from portal.models import (
    Hook,
    LicenseQuantity,
    MessageOutcome,
    Order,
    PageSecret,
    ReceivedMessage,
    Tool,
    What,
)
from tests.people import CODE, KIM, bring_in, item_document, order_document
from tests.support.application import statements
from tests.support.senders import Sender, created, message, signed

DOCUMENTATION = (Path(__file__).parent.parent / "docs" / "webhooks.md").read_text()
REFUND = "2026-11-05T10:00:00+01:00"
LATER = "2026-11-06T10:00:00+01:00"


@pytest.fixture
def acme_sends(app, acme):
    """The program of Acme's that signs with the secret of its checkout page."""
    secret = PageSecret.add(acme, Hook.WEBHOOK)
    db.session.commit()
    return Sender(app, "/hooks/acme", secret)


def saved(number="A0005555555"):
    db.session.expire_all()
    return db.session.get(Order, Order.id_of(number))


def what_happened(order):
    return [entry.what for entry in order.history]


def messages():
    return db.session.scalars(db.select(ReceivedMessage).order_by(ReceivedMessage.id)).all()


def test_a_signed_message_brings_the_order_in(acme_sends):
    answer = acme_sends.tell(message())
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json == {"outcome": "imported", "order": "A0005555555"}
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    assert (saved().status, saved().email) == ("paid", KIM)
    assert what_happened(saved()) == [What.ORDER_PAID]
    assert saved().is_delivered is False


def test_a_message_is_written_down_with_its_outcome_and_without_what_it_says(acme_sends, acme):
    acme_sends.tell(message(codes=[CODE]), id="msg_1")
    (received,) = ReceivedMessage.newest(acme)
    assert (received.message_id, received.type) == ("msg_1", "order.paid")
    assert (received.order_number, received.outcome) == ("A0005555555", MessageOutcome.IMPORTED)
    assert received.complaint is None
    assert json.loads(received.body)["data"]["items"][0]["licenses"][0]["text"] == CODE
    stored = db.session.execute(db.select(ReceivedMessage.__table__)).one()
    for secret in (CODE, KIM):
        assert all(secret not in str(value) for value in stored)


def test_the_same_message_again_is_answered_alike_and_changes_nothing(acme_sends):
    first = acme_sends.tell(message(), id="msg_1")
    again = acme_sends.tell(message(total="99.00"), id="msg_1")
    assert (again.status_code, again.json) == (first.status_code, first.json)
    assert str(saved().total) == "29.95"
    assert len(messages()) == len(saved().history) == 1

    refused = [acme_sends.tell(message(currency="euro"), id="msg_2") for _time in range(2)]
    assert [answer.status_code for answer in refused] == [422, 422]
    assert refused[0].json == refused[1].json
    assert len(messages()) == 2


def test_what_an_order_is_told_again_is_unchanged(acme_sends):
    acme_sends.tell(message())
    assert acme_sends.tell(message()).json["outcome"] == "unchanged"
    assert acme_sends.tell(message(at=LATER)).json["outcome"] == "unchanged"
    assert acme_sends.tell(message(at=LATER, locale="de")).json["outcome"] == "updated"


def wrong(name, **changes):
    return pytest.param(changes, id=name)


@pytest.mark.parametrize(
    "changes",
    [
        wrong("no headers", drop=("webhook-id", "webhook-timestamp", "webhook-signature")),
        wrong("no id", drop=("webhook-id",)),
        wrong("no timestamp", drop=("webhook-timestamp",)),
        wrong("no signature", drop=("webhook-signature",)),
        wrong("another id", put={"webhook-id": "msg_2"}),
        wrong("no time", put={"webhook-timestamp": "soon"}),
        wrong("not a number", put={"webhook-timestamp": "nan"}),
        wrong("another body", body="{}"),
        wrong("a blank more", append=" "),
        wrong("not UTF-8", body=b"\xff"),
        wrong("no version", put={"webhook-signature": "nonsense"}),
        wrong("no Base64", put={"webhook-signature": "v1,ä"}),
        wrong("many commas", put={"webhook-signature": "v1,a,b"}),
        wrong("too old", at=timedelta(minutes=-6)),
        wrong("too new", at=timedelta(minutes=6)),
        wrong("unknown page", path="/hooks/nowhere"),
        wrong("another page", path="/hooks/nordsoft"),
        wrong("page without a secret", path="/hooks/bare"),
        wrong("no code at all", path="/hooks/%00"),
        wrong("endless code", path="/hooks/" + "a" * 300),
        wrong("Noventiq's door", path="/hooks/acme/noventiq"),
        wrong("another secret", secret="whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ],
)
def test_what_is_not_signed_as_it_should_be_is_refused_alike_and_not_kept(
    app, acme_sends, nordsoft, changes
):
    PageSecret.add(nordsoft, Hook.WEBHOOK)
    acme_sends.secret = changes.get("secret", acme_sends.secret)
    acme_sends.path = changes.get("path", acme_sends.path)
    body = json.dumps(message())
    at = datetime.now(UTC) + changes.get("at", timedelta())
    headers = signed(acme_sends.secret, body, id="msg_1", at=at) | changes.get("put", {})
    headers = {n: value for n, value in headers.items() if n not in changes.get("drop", ())}
    answer = acme_sends.post(changes.get("body", body + changes.get("append", "")), headers)
    assert answer.status_code == 401
    assert answer.json == {
        "error": "unauthorized",
        "because": "There is no such checkout page, or the signature is missing, wrong or old.",
    }
    assert messages() == []
    assert saved() is None


def test_one_good_signature_among_others_is_enough(acme_sends):
    body = json.dumps(message())
    headers = signed(acme_sends.secret, body)
    headers["webhook-signature"] = f"v1a,xyz v1,{'A' * 43}= {headers['webhook-signature']}"
    assert acme_sends.post(body, headers).status_code == 200


def test_an_id_of_any_length_is_an_id(acme_sends):
    long = "x" * 3000
    assert acme_sends.tell(message(), id=long).json["outcome"] == "imported"
    assert acme_sends.tell(message(locale="de"), id=long).json["outcome"] == "imported"
    assert messages()[0].message_id.startswith("sha256:")
    assert saved().locale == "en"


def test_both_secrets_of_a_page_count_until_one_is_retired(acme_sends, acme, app):
    older = acme_sends.secret
    newer = Sender(app, acme_sends.path, PageSecret.add(acme, Hook.WEBHOOK))
    assert acme_sends.tell(message()).status_code == 200
    assert newer.tell(message()).status_code == 200
    PageSecret.of(acme, Hook.WEBHOOK)[0].retire()
    assert acme_sends.tell(message()).status_code == 401
    assert newer.tell(message()).status_code == 200
    assert newer.secret != older


def test_a_message_over_a_mebibyte_is_too_large(acme_sends):
    for path in ("/hooks/acme", "/hooks/acme/noventiq"):
        acme_sends.path = path
        answer = acme_sends.post(b"x" * (1024 * 1024 + 1))
        assert (answer.status_code, answer.json["error"]) == (413, "too_large")
    acme_sends.path = "/hooks/acme"
    assert acme_sends.post(b"x" * (1024 * 1024)).status_code == 401


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("", "body: is not JSON: EOF while parsing a value at column 0"),
        ("[" * 100_000, "body: is not JSON: recursion limit exceeded at column 202"),
        ([], "body: must be an object"),
        ({}, "type: is missing; timestamp: is missing; data: is missing"),
        (
            message("order.payed"),
            "type: must be 'order.created', 'order.paid', 'order.deleted' or 'item.refunded'",
        ),
        (
            message(at="2026-11-02"),
            "timestamp: must be a time with an offset, such as 2026-11-01T10:00:00+00:00",
        ),
        (message() | {"data": 1}, "data: must be an object"),
        (message(total="29,95"), "total: must be an amount such as 29.95"),
        (message(customer={"email": "kim"}), "customer.email: is not an e-mail address"),
        (message(paid_at=None), "paid_at: is required when the status is paid"),
        (
            message(items=[item_document(codes=["x" * 10_001])]),
            "items.0.licenses.0.text: has more than 10000 characters",
        ),
        (
            message(checkout_page="nordsoft"),
            "checkout_page: must be acme, whose secret signed the message",
        ),
        (
            message("order.deleted"),
            "status: must be “deleted” where the type is order.deleted",
        ),
        (
            message("order.paid", status="deleted"),
            "status: must be “paid” where the type is order.paid",
        ),
        (
            message("item.refunded"),
            "items: none is refunded, although the type is item.refunded",
        ),
    ],
)
def test_what_is_not_our_schema_is_refused_with_the_field_and_kept(
    acme_sends, nordsoft, given, complaint
):
    body = given if isinstance(given, str) else json.dumps(given)
    answer = acme_sends.post(body, signed(acme_sends.secret, body, id="msg_1"))
    assert answer.status_code == 422
    assert answer.json == {
        "error": "unusable_message",
        "field": complaint.partition(":")[0],
        "because": complaint,
    }
    (received,) = messages()
    assert (received.outcome, received.complaint) == (MessageOutcome.REJECTED, complaint)
    assert received.body == body
    assert saved() is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"type": "order.paid"', '{"type": "order.created", "type": "order.paid"'),
        ('"number": ', '"number": "A7", "number": '),
        ('"quantity": 1', '"quantity": 5, "quantity": 1'),
        ('{"type": ', '{"x": {"a": 1, "a": 2}, "type": '),
    ],
)
def test_a_field_that_is_there_twice_is_refused_wherever_it_stands(acme_sends, before, after):
    given = json.dumps(message())
    assert before in given
    body = given.replace(before, after, 1)
    answer = acme_sends.post(body, signed(acme_sends.secret, body))
    assert answer.status_code == 422
    assert answer.json["because"].endswith(": is there twice")
    assert saved() is None


@pytest.mark.parametrize("padding", ["9" * 1000, '"\\u0000"', "[" * 150 + "]" * 150, "1e999"])
def test_what_is_no_field_of_ours_may_be_anything(acme_sends, padding):
    body = json.dumps(message())[:-1] + f', "padding": {padding}}}'
    assert acme_sends.post(body, signed(acme_sends.secret, body)).status_code == 200


def test_the_name_of_a_field_that_is_there_twice_is_shortened(acme_sends):
    name = json.dumps("x" * 1000)
    body = json.dumps(message())[:-1] + f", {name}: 1, {name}: 2}}"
    answer = acme_sends.post(body, signed(acme_sends.secret, body))
    assert answer.json["because"] == "x" * 40 + "…: is there twice"


def test_an_order_of_another_page_stays_there(acme_sends, nordsoft, caplog):
    bring_in(order_document(checkout_page="nordsoft"))
    answer = acme_sends.tell(message())
    (warning,) = [one for one in caplog.records if one.levelname == "WARNING"]
    assert warning.getMessage() == (
        "A message to acme tells of order 5555555, which belongs to another checkout page"
    )
    assert answer.status_code == 422
    assert answer.json["because"] == "checkout_page: the order belongs to another checkout page"
    assert saved().checkout_page.code == "nordsoft"


def test_a_payment_that_is_told_before_the_order_was_placed_stays(acme_sends):
    acme_sends.tell(message())
    late = acme_sends.tell(created(total="1.00", locale="de", customer={"email": "old@x.example"}))
    assert (late.status_code, late.json["outcome"]) == (200, "unchanged")
    assert (saved().status, str(saved().total), saved().locale) == ("paid", "29.95", "en")
    assert saved().email == KIM
    assert "old" not in saved().search_text
    assert what_happened(saved()) == [What.ORDER_PAID]


def test_what_leads_forward_counts_however_late_it_is_told(acme_sends):
    acme_sends.tell(created(at=LATER, locale="de"))
    assert acme_sends.tell(message(locale="en")).json["outcome"] == "updated"
    assert (saved().status, saved().locale) == ("paid", "de")
    assert saved().paid_at is not None
    assert what_happened(saved()) == [What.ORDER_PAID]


def test_of_two_events_of_one_moment_the_further_one_stays(acme_sends):
    at = "2026-11-02T10:05:00+01:00"
    acme_sends.tell(message(at=at))
    assert acme_sends.tell(created(at=at)).json["outcome"] == "unchanged"
    acme_sends.tell(message("item.refunded", at=at, items=[refunded_item("1"), item("2")]))
    assert acme_sends.tell(message(at=at, items=[item("1"), item("2")])).status_code == 200
    assert [bool(item.refunded_at) for item in saved().items] == [True, False]


def item(ref, **changes):
    return item_document(ref, codes=[], **changes)


def refunded_item(ref):
    return item(ref, refunded_at=REFUND)


def test_a_newer_message_that_contradicts_is_refused_as_in_an_import(acme_sends):
    acme_sends.tell(message())
    answer = acme_sends.tell(created(at=LATER))
    assert answer.status_code == 422
    assert answer.json["because"] == "status: an order that is “paid” cannot become “not paid”"
    assert saved().status == "paid"


def test_a_refund_revokes_the_license_and_a_payment_told_late_does_not_undo_it(acme_sends):
    bought = [item_document("1"), item("2")]
    acme_sends.tell(message(items=bought))
    returned = [item_document("1", refunded_at=REFUND), item("2")]
    assert acme_sends.tell(message("item.refunded", at=REFUND, items=returned)).status_code == 200
    assert acme_sends.tell(message(items=bought)).json["outcome"] == "unchanged"
    license = saved().items[0].licenses[0]
    assert license.resend_refusal().word == "license_revoked"
    assert saved().status == "paid"
    assert what_happened(saved()) == [What.ITEM_REFUNDED, What.ORDER_PAID]


def test_an_order_whose_items_are_all_refunded_is_deleted_and_that_is_said_once(acme_sends):
    acme_sends.tell(message(items=[item("1"), item("2")]))
    for ref in (["1"], ["1", "2"], ["1", "2"]):
        items = [refunded_item(r) if r in ref else item(r) for r in ("1", "2")]
        answer = acme_sends.tell(message("item.refunded", at=REFUND, items=items))
        assert answer.status_code == 200
    assert saved().status == "deleted"
    history = what_happened(saved())
    assert history.count(What.ORDER_DELETED) == 1
    assert history.count(What.ITEM_REFUNDED) == 2
    deleted = message("order.deleted", at=LATER, status="deleted", items=items)
    assert acme_sends.tell(deleted).json["outcome"] == "unchanged"


def test_an_order_that_comes_in_refunded_says_so_once(acme_sends):
    told = message("item.refunded", at=REFUND, items=[refunded_item("1")])
    acme_sends.tell(told)
    assert saved().status == "deleted"
    assert acme_sends.tell(message(items=[item("1")])).json["outcome"] == "unchanged"
    assert what_happened(saved()) == [What.ORDER_DELETED, What.ITEM_REFUNDED]


def test_a_deletion_that_is_told_first_stays(acme_sends):
    acme_sends.tell(message("order.deleted", at=REFUND, status="deleted", paid_at=None))
    assert acme_sends.tell(message()).status_code == 200
    assert saved().status == "deleted"
    assert saved().paid_at is not None  # which is no way back
    assert what_happened(saved()) == [What.ORDER_DELETED]


def test_a_late_message_still_brings_what_was_not_known(acme_sends):
    acme_sends.tell(message(at=LATER, items=[item("1")]))
    late = message(items=[item_document("1"), item("2", product={"id": "2", "name": "Tunnel"})])
    late["data"]["history"] = [{"at": REFUND, "text": "Called by phone"}]
    assert acme_sends.tell(late).json["outcome"] == "updated"
    assert [license.text for license in saved().items[0].licenses] == [CODE]
    assert [item.ref for item in saved().items] == ["1", "2"]
    assert "tunnel" in saved().search_text
    assert any(entry.text == "Called by phone" for entry in saved().history)


def test_an_import_is_no_news_and_does_not_change_what_is_newest(acme_sends, acme):
    acme_sends.tell(message(at=LATER))
    bring_in(order_document(locale="de"))
    assert saved().locale == "de"
    assert acme_sends.tell(message(locale="fr")).json["outcome"] == "unchanged"
    assert saved().locale == "de"


def test_who_was_erased_is_erased_from_the_messages_too(acme_sends):
    acme_sends.tell(message())
    erased = message(at=LATER, customer={"email": None})
    assert acme_sends.tell(erased).json["outcome"] == "updated"
    assert [received.body for received in messages()] == [None, None]
    acme_sends.tell(message(at="2026-11-07T10:00:00+01:00"))
    assert saved().email is None


@pytest.mark.parametrize("changes", [{}, {"total": "x"}], ids=["taken in", "rejected"])
def test_nothing_that_comes_after_an_erasure_is_kept(acme_sends, changes):
    acme_sends.tell(message(customer={"email": None}))
    acme_sends.tell(message(at=LATER, **changes))
    assert [received.body for received in messages()] == [None, None]


def test_an_erasure_counts_however_late_it_is_told(acme_sends):
    acme_sends.tell(message(at=LATER))
    acme_sends.tell(message(customer={"email": None}))
    assert (saved().email, saved().first_name) == (None, None)
    assert "kim" not in saved().search_text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_message_that_is_refused_waits_for_nobody_who_writes(app, acme_sends, acme):
    with db.engine.connect() as other:
        other.begin()  # takes the write lock, as an import does
        with statements(app) as found:
            answer = acme_sends._browser.client.post(acme_sends.path, data=json.dumps(message()))
        assert answer.status_code == 401
        other.rollback()
    assert [sql for sql in found if sql.startswith("BEGIN")] == ["BEGIN DEFERRED"]


def test_the_example_of_the_documentation_comes_in(acme_sends):
    (example,) = re.findall(r"^```json\n(.*?)^```$", DOCUMENTATION, re.DOTALL | re.MULTILINE)
    given = json.loads(example.replace("acme-store", "acme"))
    assert acme_sends.tell(given).json == {"outcome": "imported", "order": "A0005555555"}


def test_the_signature_of_the_documentation_is_right():
    secret, content, wanted = (
        re.search(pattern, DOCUMENTATION)[1]
        for pattern in (r"`whsec_(\S+)`", r"content `(\{.*?\})`", r"`v1,(\S{44})`")
    )
    to_sign = f"msg_1.1762074300.{content}".encode()
    made = hmac.digest(b64decode(secret), to_sign, "sha256")
    assert b64encode(made).decode() == wanted


def test_a_message_costs_few_statements(app, acme_sends):
    body = json.dumps(message())
    headers = signed(acme_sends.secret, body)
    with statements(app) as found:
        acme_sends.post(body, headers)
    asked = [statement for statement in found if not statement.startswith("BEGIN")]
    assert len(asked) <= 25, "\n".join(asked)


def test_a_message_costs_no_more_where_its_order_is_long(app, acme_sends):
    def cost(given):
        body, headers = acme_sends.request(given)
        with statements(app) as found:
            assert acme_sends.post(body, headers).status_code == 200
        return len(found)

    def costs(number, length):
        def told(quantity=1):
            refs = [f"{position}" for position in range(length)]
            product = {"name": "Sentinel"}
            items = [item(ref, product=product | {"id": ref}, quantity=quantity) for ref in refs]
            return message(number=number, items=items)

        found = [cost(told()), cost(told())]
        fulfil(saved(number), LicenseQuantity.PER_ITEM)
        found.append(cost(told()))
        acme_sends.tell(told(quantity=2))  # more was bought, and yet nothing is missing
        return [*found, cost(told(quantity=2))]

    assert costs("A0006666666", 40) == costs("A0005555555", 2)


def fulfil(order, license_quantity):
    """Save a license for each item of `order`."""
    for item in order.items:
        product = item.fulfilment.product
        product.tool, product.license_quantity = Tool.WEB_SERVICE, license_quantity
        item.fulfilment.take(Licenses([f"NEW-{item.id}"]))
    db.session.commit()
