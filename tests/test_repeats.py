"""An e-mail without a license that did not arrive is sent again when staff say so."""

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.models import DeliveryStatus, Fulfilment, OrderStatus, Tool, What
from tests.people import KIM, bring_in, order_document
from tests.test_fulfilment import set_tool

ADDRESS = "/orders/A0005555555"
AGAIN = "Send again"


@pytest.fixture
def item(acme):
    """An item about which an e-mail is to go, and no license."""
    (fulfilment,) = Fulfilment.begin(bring_in(order_document(codes=())))
    set_tool(fulfilment, Tool.INFORMATION)
    return fulfilment.item


@pytest.fixture
def failed(item, mail_server):
    """That e-mail, which the mail server refused; by now it would take it."""
    mail_server(at="RCPT", answer="550 5.1.1 No such user")
    jobs.fulfil(item.fulfilment.id)
    mail_server()
    (delivery,) = item.order.deliveries
    return delivery


def test_what_the_mail_server_refused_is_sent_again(
    signed_in, rob, item, failed, mail_server, queue
):
    page = signed_in(rob).open(ADDRESS)
    block = page.part(f"item-{item.id}")
    assert f"was not sent to {KIM}. The mail server refused the address." in block.text
    assert "nothing to resend" not in block.text
    answer = page.press(AGAIN)
    assert answer.status == 200
    assert "about to be sent" in answer.part(f"delivery-{failed.id}").text
    newest = answer.part("order-history").parts("li.entry:not(.entry-underway)")[0].text
    assert newest.startswith(
        f"The email about Sentinel Antivirus, 1 year to {KIM} was queued again"
    )
    assert "rob@example.com" in newest
    assert queue.pending_count() == 1

    server, message_id = mail_server(), failed.message_id
    jobs.send(failed.id)
    assert (failed.status, failed.attempts) == (DeliveryStatus.SENT, 1)
    assert [mail["Message-ID"] for mail in server.messages] == [message_id]
    page = signed_in(rob).open(ADDRESS)
    assert AGAIN not in " ".join(page.names)
    assert "was sent to" in page.part("order-history").text


def test_a_mail_under_way_is_called_what_it_is(signed_in, rob, item, mail_server, queue):
    mail_server(at="RCPT", answer="451 4.7.1 Greylisted")
    jobs.fulfil(item.fulfilment.id)
    page = signed_in(rob).open(ADDRESS)
    (delivery,) = item.order.deliveries
    said = f"The email about Sentinel Antivirus, 1 year to {KIM} will be tried again at"
    assert said in page.part(f"delivery-{delivery.id}").text
    assert said in page.part("order-history").text
    for status, words in (
        (DeliveryStatus.SENDING, f"is being sent to {KIM}"),
        (DeliveryStatus.QUEUED, "is about to be sent"),
    ):
        delivery.status, delivery.attempts = status, 0
        assert delivery.outcome == f"The email about Sentinel Antivirus, 1 year {words}"


def test_it_goes_to_the_address_that_the_order_has_now(signed_in, rob, failed, mail_server):
    corrected = {"email": "kim@example.org"}
    bring_in(order_document(codes=(), customer=corrected))
    signed_in(rob).open(ADDRESS).press(AGAIN)
    server = mail_server()
    jobs.send(failed.id)
    assert [mail.recipients for mail in server.messages] == [["kim@example.org"]]


def test_what_was_withheld_is_sent_again_once_it_may(signed_in, rob, acme, item, mailbox):
    acme.delivery_allowed = False
    db.session.commit()
    jobs.fulfil(item.fulfilment.id)
    page = signed_in(rob).open(ADDRESS)
    block = page.part(f"item-{item.id}")
    assert f"was withheld from {KIM}: Delivery is forbidden" in block.text
    assert "Only an operator can allow it again." in block.text
    assert AGAIN not in " ".join(page.names)

    acme.delivery_allowed = True
    db.session.commit()
    assert signed_in(rob).open(ADDRESS).press(AGAIN).status == 200
    (delivery,) = item.order.deliveries
    jobs.send(delivery.id)
    assert len(mailbox.messages) == 1


def deleted(delivery):
    delivery.order.status = OrderStatus.DELETED


def refunded(delivery):
    delivery.item.refunded_at = clock.now()


def forbidden(delivery):
    delivery.order.checkout_page.delivery_allowed = False


def sent(delivery):
    delivery.finish(DeliveryStatus.SENT)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (deleted, "status is “deleted”"),
        (refunded, "was refunded"),
        (forbidden, "Delivery is forbidden"),
        (sent, "is under way, or was sent"),
    ],
)
def test_what_may_not_be_sent_again_is_refused_with_the_reason(
    signed_in, rob, failed, change, reason
):
    page = signed_in(rob).open(ADDRESS)
    change(failed)
    db.session.commit()
    answer = page.press(AGAIN)
    assert answer.status == 409
    assert reason in answer.part("announcement").text
    assert AGAIN not in " ".join(signed_in(rob).open(ADDRESS).names)
    assert What.EMAIL_REPEATED not in [entry.what for entry in failed.order.history]


def test_a_double_click_queues_it_once(signed_in, rob, failed, queue):
    page, other = signed_in(rob).open(ADDRESS), signed_in(rob).open(ADDRESS)
    assert page.press(AGAIN).status == 200
    assert other.press(AGAIN).status == 409
    assert queue.pending_count() == 1


def test_a_mail_with_a_license_has_a_way_of_its_own(signed_in, rob, license):
    delivery = license.resend(by=rob, token="t" * 20)
    db.session.flush()
    delivery.finish(DeliveryStatus.FAILED, failure="mail_refused")
    db.session.commit()
    names = signed_in(rob).open(ADDRESS).names
    assert any(name.startswith("Resend") for name in names)
    assert AGAIN not in " ".join(names)
