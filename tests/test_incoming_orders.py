"""An operator gives a checkout page the secrets of its messages, and sees what was received."""

import pytest

from portal.extensions import db
from portal.models import (
    Change,
    Hook,
    MessageOutcome,
    Order,
    PageSecret,
    Product,
    ReceivedMessage,
    Tool,
)
from tests.people import KIM, bring_in, order_document
from tests.support.application import statements
from tests.support.senders import Sender, message, signed

OWN = "whsec_" + "a2V5ZGVzayB0ZXN0cyBvbmx5OiBub3QgYSBzZWNyZXQ="


@pytest.fixture
def page(signed_in, ada, acme):
    return signed_in(ada).open("/checkout-pages/acme")


def test_a_secret_is_shown_once_and_messages_signed_with_it_are_taken(app, page, acme):
    assert "http://127.0.0.1:5000/hooks/acme" in page.part("secrets").text
    answer = page.press("Add a secret (Webhook)")
    (secret,) = PageSecret.of(acme, Hook.WEBHOOK)
    assert secret.text in answer.part("fresh-secret").text
    assert Sender(app, "/hooks/acme", secret.text).tell(message()).status_code == 200
    again = page._browser.open("/checkout-pages/acme")
    assert secret.text not in again.response.text
    assert secret.name in again.part("secrets").text
    (change,) = Change.of(acme)
    assert (change.field, change.before, change.after) == ("secret for webhook", None, secret.name)
    assert change.by.email == "ada@example.com"


def test_a_page_that_is_sent_twice_adds_one_secret(page, acme):
    page.press("Add a secret (Webhook)")
    again = page.press("Add a secret (Webhook)")
    assert again.status == 409
    assert "nothing was done" in again.text
    assert len(PageSecret.of(acme, Hook.WEBHOOK)) == 1


def test_a_secret_is_changed_without_a_moment_without_one(page, acme):
    answer = page.press("Add a secret (Webhook)")
    assert not any(name.startswith("Retire") for name in answer.names)
    answer = answer.press("Add a secret (Webhook)")
    older, newer = PageSecret.of(acme, Hook.WEBHOOK)
    assert "two secrets already" in answer.part("secrets").text
    assert "Add a secret (Webhook)" not in answer.names
    answer = answer.press(f"Retire {older.name}")
    assert "was retired" in answer.text
    assert [secret.name for secret in PageSecret.of(acme, Hook.WEBHOOK)] == [newer.name]
    assert newer.retire_refusal().word == "only_secret"


def test_the_only_secret_stays(page, acme):
    page.press("Add a secret (Webhook)")
    (secret,) = PageSecret.of(acme, Hook.WEBHOOK)
    token = page.parts("input[name=csrf_token]")[0].attributes["value"]
    path = f"/checkout-pages/acme/secrets/{secret.id}/retirements"
    answer = page._browser.open(path, method="POST", headers={"X-CSRFToken": token})
    assert answer.status == 409
    assert "the only secret" in answer.text
    assert len(PageSecret.of(acme, Hook.WEBHOOK)) == 1


def test_a_secret_of_the_sender_is_taken_and_not_shown(page, acme):
    answer = page.fill("Secret of the sender (Webhook)", "too short").press(
        "Add a secret (Webhook)"
    )
    assert answer.status == 422
    assert "must be whsec_" in answer.text
    assert "too short" not in answer.response.text
    answer = answer.fill("Secret of the sender (Webhook)", OWN).press("Add a secret (Webhook)")
    assert "The secret was added." in answer.text
    assert OWN not in answer.response.text
    assert PageSecret.of(acme, Hook.WEBHOOK)[0].text == OWN


@pytest.fixture
def rejected(app, acme, nordsoft):
    """A message that was rejected because its order belonged to another page, until now."""
    sender = Sender(app, "/hooks/acme", PageSecret.add(acme, Hook.WEBHOOK))
    db.session.commit()
    order = bring_in(order_document(codes=(), checkout_page="nordsoft"))
    assert sender.tell(message(locale="de")).status_code == 422
    order.checkout_page = acme
    db.session.commit()
    return db.session.scalars(db.select(ReceivedMessage)).one()


def test_a_rejected_message_is_seen_and_taken_in_again(app, page, rejected, acme, mailbox):
    Product.appear(acme.id, {"1001": "Sentinel"})["1001"].tool = Tool.INFORMATION
    listed = page.press("Received messages")
    assert "rejected" in listed.parts("tbody tr")[0].text
    assert "order.paid" in listed.parts("tbody tr")[0].text
    assert KIM not in listed.text
    shown = listed.follow(listed.parts("tbody th a")[0]._element)
    assert rejected.complaint in shown.text
    assert KIM in shown.text
    answer = shown.press("Take it in again")
    assert "The message was taken in." in answer.text
    assert "by ada@example.com" in answer.text
    assert rejected.outcome is MessageOutcome.UPDATED
    assert db.session.get(Order, 5555555).locale == "de"
    assert app.extensions["jobs"].huey.pending_count() == 1

    again = shown.press("Take it in again")
    assert again.status == 409
    assert "was not rejected" in again.text


def test_a_message_that_is_rejected_again_says_so(page, rejected, nordsoft):
    db.session.get(Order, 5555555).checkout_page = nordsoft
    db.session.commit()
    path = f"/checkout-pages/acme/messages/{rejected.id}"
    answer = page._browser.open(path).press("Take it in again")
    assert "The message was rejected again." in answer.text
    assert rejected.outcome is MessageOutcome.REJECTED


TAKEN = (
    "Its number is taken by an order of Nordsoft. "
    "Look at that order; if it is not genuine, give that checkout page a new secret."
)


def test_a_number_that_an_order_of_another_page_has_taken_stands_out(app, page, acme, nordsoft):
    sender = Sender(app, "/hooks/acme", PageSecret.add(acme, Hook.WEBHOOK))
    db.session.commit()
    for number in ("A1", "A2", "A3"):
        bring_in(order_document(number, codes=(), checkout_page="nordsoft"))
        assert sender.tell(message(number=number)).status_code == 422
    assert sender.tell(message(number="A4", total="x")).status_code == 422
    db.session.expunge_all()
    with statements(app) as found:
        listed = page._browser.open("/checkout-pages/acme/messages")
    assert len([sql for sql in found if sql.startswith("SELECT")]) <= 4
    rows = listed.parts("tbody tr")
    assert [TAKEN in row.text for row in rows] == [False, True, True, True]
    shown = [listed.follow(link._element) for link in listed.parts("tbody th a")]
    assert [TAKEN in one.text for one in shown] == [False, True, True, True]


def test_a_number_that_no_other_page_has_any_more_is_not_taken(page, rejected):
    listed = page.press("Received messages")
    assert rejected.complaint in listed.text
    assert "is taken" not in listed.text
    assert "is taken" not in listed.follow(listed.parts("tbody th a")[0]._element).text


def test_a_message_about_an_order_that_never_came_in_leads_nowhere(app, page, acme):
    sender = Sender(app, "/hooks/acme", PageSecret.add(acme, Hook.WEBHOOK))
    db.session.commit()
    assert sender.tell(message(number="A1")).status_code == 200
    assert sender.tell(message(number="A2", total="x")).status_code == 422
    listed = page.press("Received messages")
    links = [link.attributes["href"] for link in listed.parts("td a")]
    assert links == ["/orders/A1"]
    rejected, taken_in = [listed.follow(link._element) for link in listed.parts("tbody th a")]
    assert "A2" in rejected.text
    assert not rejected.parts("dd a")
    assert taken_in.parts("dd a")[0].attributes["href"] == "/orders/A1"


def test_many_messages_are_listed_fifty_at_a_time(app, page, acme):
    for number in range(101):
        db.session.add(
            ReceivedMessage(
                checkout_page_id=acme.id,
                hook=Hook.NOVENTIQ,
                message_id=f"msg_{number}",
                type=f"type {number}",
                received_at=acme.created_at,
                outcome=MessageOutcome.IGNORED,
            )
        )
    db.session.commit()
    with statements(app) as found:
        listed = page._browser.open("/checkout-pages/acme/messages")
    assert len([sql for sql in found if sql.startswith("SELECT")]) <= 4
    assert len(listed.parts("tbody tr")) == 50
    assert "type 100" in listed.text
    last = listed.press("Older").press("Older")
    assert [row.text.split("type")[1].split()[0] for row in last.parts("tbody tr")] == ["0"]
    assert len(last.press("Newest").parts("tbody tr")) == 50


@pytest.mark.parametrize("path", ["messages/{id}", "secrets/{id}/retirements", "messages/0"])
def test_what_belongs_to_another_page_is_not_found(page, rejected, nordsoft, path):
    method = "GET" if "messages" in path else "POST"
    token = page.parts("input[name=csrf_token]")[0].attributes["value"]
    answers = {
        page._browser.open(
            f"/checkout-pages/nordsoft/{path.format(id=id)}",
            method=method,
            headers={"X-CSRFToken": token},
        ).status
        for id in (rejected.id, 10**30)
    }
    assert answers == {404}


@pytest.mark.parametrize("body", ["no json", "[" * 2000, '{"a": 1}'])
def test_what_makes_no_sense_is_shown_as_it_came(app, page, acme, body):
    secret = PageSecret.add(acme, Hook.WEBHOOK)
    db.session.commit()
    answer = Sender(app, "/hooks/acme", secret).post(body, signed(secret, body))
    assert answer.status_code == 422
    listed = page._browser.open("/checkout-pages/acme/messages")
    shown = listed.follow(listed.parts("tbody th a")[0]._element)
    assert body.replace(" ", "") in shown.text.replace(" ", "")
    assert ReceivedMessage.newest(acme)[0].complaint in shown.text


DEEP = "[" * 150 + "1," * 200_000 + "1" + "]" * 150
REPEATED = '{"type": "order.paid", "type": "order.created"}'


@pytest.mark.parametrize(
    ("body", "shown", "hidden"),
    [
        ('{"a": "\\ud800"}', '"a": "\\ud800"', "Only the first"),
        (REPEATED, REPEATED, "Only the first"),
        (
            "[" + "1," * 90_000 + "1]",
            "Only the first 65,536 of 180,003 characters are shown.",
            "1]",
        ),
        (DEEP, "Only the first 65,536 of", "1]"),
    ],
    ids=["half a character", "a field twice", "long", "deep"],
)
def test_any_message_can_be_looked_at(app, page, acme, body, shown, hidden):
    secret = PageSecret.add(acme, Hook.WEBHOOK)
    db.session.commit()
    assert Sender(app, "/hooks/acme", secret).post(body, signed(secret, body)).status_code == 422
    path = f"/checkout-pages/acme/messages/{ReceivedMessage.newest(acme)[0].id}"
    sheet = page._browser.open(path).parts(".mail")[0]
    assert shown in sheet.text
    assert hidden not in sheet.text
    assert len(sheet.text) < 70_000
