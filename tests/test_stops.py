"""A mail that was put off is tried again, and the page says so, until somebody stops it."""

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.formats import clock_time
from portal.models import Delivery, DeliveryStatus, What

ADDRESS = "/orders/A0005555555"


def said(delivery):
    """When it is tried again, as a page says it, with each run of blanks made one."""
    return f"will be tried again at {' '.join(clock_time(delivery.due_at).split())}"


@pytest.fixture
def answer(queue, signed_in, rob, order, mail_server):
    """What Rob sees after a resend that the mail server put off."""
    mail_server(at="RCPT", answer="451 4.7.1 Greylisted")
    return signed_in(rob).open(ADDRESS).press("Resend").press("Send")


@pytest.fixture
def delivery(answer):
    return db.session.scalars(db.select(Delivery)).one()


def test_a_resend_that_is_put_off_says_when_it_is_tried_again(answer, delivery, license):
    assert answer.status == 200
    for id in (f"license-{license.id}", "order-history", "announcement"):
        assert f"kim@example.com {said(delivery)}" in answer.part(id).text
    assert "The mail server asked to try again later." in answer.part("announcement").text
    assert answer.part(f"license-{license.id}").text.count("will be tried again") == 1


def test_the_page_says_it_when_it_is_opened_anew(answer, signed_in, rob, license):
    page = signed_in(rob).open(ADDRESS)
    assert page.part(f"license-{license.id}").text == answer.part(f"license-{license.id}").text
    assert page.part("order-history").text == answer.part("order-history").text


def test_the_worker_is_told_when(queue, answer, delivery):
    (task,) = queue.pending()
    assert task.args == (delivery.id,)
    assert task.eta


def test_the_question_says_that_one_is_queued(answer, delivery):
    question = answer.press("Resend")
    assert said(delivery) in question.text
    assert "You need not send it again." in question.text


def test_a_stopped_mail_is_not_tried_again(signed_in, rob, answer, delivery, mail_server, mailbox):
    stopped = answer.press("Stop")
    assert stopped.status == 200
    assert "was stopped" in stopped.part("announcement").text
    newest = stopped.part("order-history").parts("li")[0].text
    assert newest.startswith("The email containing license information to kim@example.com was")
    assert "rob@example.com" in newest
    outcome = stopped.parts(".outcome")[0].text
    assert "was stopped. The mail server asked to try again later." in outcome
    assert "Try again" not in outcome
    assert "Stop" not in " ".join(stopped.names)
    assert "hx-get" not in stopped.part("progress").attributes

    mail_server()
    delivery.due_at = clock.now()
    db.session.commit()
    db.session.refresh(delivery)
    assert delivery.status is DeliveryStatus.FAILED
    assert mailbox.empty


def test_what_went_meanwhile_cannot_be_stopped(answer, delivery, mail_server, order):
    mail_server()
    delivery.due_at = clock.now()
    db.session.commit()
    jobs.send(delivery.id)
    refused = answer.press("Stop")
    assert refused.status == 409
    assert "is not going to be tried again" in refused.part("announcement").text
    assert What.EMAIL_STOPPED not in [entry.what for entry in order.history]


def test_an_automatic_mail_is_stopped_as_well(signed_in, ada, license):
    delivery = Delivery.automatic(license.item, [license], token="t" * 20)
    db.session.commit()
    page = signed_in(ada).open(ADDRESS)
    assert "about to be sent" in page.part(f"standing-{license.item_id}").text
    assert page.press("Stop").status == 200
    assert delivery.status is DeliveryStatus.FAILED


def test_the_api_tells_when_and_how_often(app, queue, rob, order, mail_server, license):
    mail_server(at="RCPT", answer="451 4.7.1 Greylisted")
    headers = {"Authorization": f"Bearer {rob.renew_token()}"}
    path = f"/api/v1{ADDRESS}/licenses/{license.id}/resends"
    db.session.commit()
    told = app.test_client().post(path, headers=headers).json
    assert (told["status"], told["attempts"]) == ("queued", 1)
    assert told["due_at"] > told["created_at"]
    assert "will be tried again at" in told["outcome"]
    assert queue.pending_count() == 1
