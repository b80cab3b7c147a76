"""A faulty license is replaced: revoked with a reason, and the new one mailed."""

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.models import Delivery, DeliveryStatus, OrderStatus
from portal.models.license import License
from tests.people import CODE, bring_in, order_document
from tests.test_resends import copy_of, send_at_once

ADDRESS = "/orders/A0005555555"
FORMER = "What is wrong with the former one"


@pytest.fixture
def question(signed_in, rob, license):
    return signed_in(rob).open(ADDRESS).press("Replace")


def filled(question, text="NEW-1", because="Does not activate"):
    return question.fill("New license", text).fill(FORMER, because)


def texts(order):
    db.session.expire_all()
    return [license.text for license in order.items[0].licenses]


def test_a_faulty_license_is_replaced_and_the_new_one_mailed(question, license, order, mailbox):
    for said in ("kim@example.com", "English", "is revoked for good"):
        assert said in question.text
    answer = filled(question).press("Replace and send")
    assert answer.status == 200
    assert texts(order) == [CODE, "NEW-1"]
    assert license.revoked_because == "Does not activate"
    block = answer.part(f"license-{license.id}")
    assert [part.text for part in block.parts("del")] == [CODE]
    assert "This license was replaced: Does not activate" in block.text
    assert block.names == []
    assert "the former one is revoked: Does not activate" in answer.part("announcement").text
    assert "rob@example.com" in answer.part("order-history").parts("li")[1].text

    (delivery,) = order.deliveries
    jobs.send(delivery.id)
    (mail,) = mailbox.messages
    assert "NEW-1" in mail.plain
    assert CODE not in mail.plain


def test_nobody_is_promised_a_mail_that_does_not_go(signed_in, rob, acme, license, order):
    acme.delivery_allowed = False
    question = signed_in(rob).open(ADDRESS).press("Replace")
    assert "No e-mail goes: Delivery is forbidden" in question.text
    assert "is mailed" not in question.text
    assert filled(question).press("Replace").status == 200
    assert texts(order) == [CODE, "NEW-1"]


@pytest.mark.parametrize("quoted", ["FIRST-LINE-1 SECOND-LINE-2", "second-line-2", "OTHER-CODE-3"])
def test_no_license_of_the_item_is_in_the_reason(signed_in, rob, acme, quoted):
    codes = ["FIRST-LINE-1\nSECOND-LINE-2", "OTHER-CODE-3"]
    order = bring_in(order_document(codes=codes))
    question = signed_in(rob).open(ADDRESS).press("Replace license 1 of 2")
    refused = filled(question, because=f"{quoted} does not activate").press("Replace and send")
    assert refused.status == 422
    assert "without the license itself" in refused.text
    assert texts(order) == codes


def test_a_license_that_cannot_be_read_may_be_replaced(signed_in, rob, license, order):
    license.sealed = bytes(len(license.sealed))
    page = signed_in(rob).open(ADDRESS)
    assert page.part(f"license-{license.id}").names == [
        "Replace license for Sentinel Antivirus, 1 year"
    ]
    assert filled(page.press("Replace")).press("Replace and send").status == 200


@pytest.mark.parametrize(
    ("text", "because", "error"),
    [
        ("", "Does not activate", "Enter the license."),
        (CODE, "Does not activate", "has had this license before"),
        ("NEW-1", " ", "Say what is wrong"),
        ("NEW-1", "x" * 201, "too long"),
        ("NEW-1", f"{CODE} does not activate", "without the license itself"),
        ("NEW-1", "NEW-1 is right", "without the license itself"),
        ("NEW-1", f"{CODE.lower()} fails", "without the license itself"),
        ("NEW-1", f"Neither {CODE[:10]} {CODE[10:]}", "without the license itself"),
        ("NEW-1\nAND-THEN-2", "AND-THEN-2 is right", "without the license itself"),
    ],
)
def test_what_cannot_be_right_is_said_and_what_was_typed_stays(
    question, order, text, because, error
):
    refused = filled(question, text, because).press("Replace and send")
    assert refused.status == 422
    assert error in refused.text
    assert "Not saved" in refused.part("announcement").text
    assert refused.parts("textarea")[0].exact_text.strip() == text
    assert texts(order) == [CODE]
    assert filled(refused).press("Replace and send").status == 200


def test_who_guesses_licenses_of_others_is_told_nothing_for_nothing(question, nordsoft):
    bring_in(order_document("A0009", codes=["OTHER-1"], checkout_page="nordsoft"))
    probe = filled(question, "OTHER-1", "OTHER-1").press("Replace and send")
    assert probe.status == 422
    assert "without the license itself" in probe.text
    assert "another order" not in probe.text
    again = filled(probe, "OTHER-1").press("Replace and send")
    assert again.status == 422
    assert "was given to another order" in again.text


def not_paid(license):
    license.order.status = OrderStatus.NOT_PAID


def refunded(license):
    license.item.refunded_at = clock.now()


def replaced(license):
    license.revoked_at, license.revoked_because = clock.now(), "Was faulty"


@pytest.mark.parametrize(
    ("change", "word", "reason"),
    [
        (not_paid, "order_not_paid", "status is “not paid”"),
        (refunded, "license_revoked", "was refunded"),
        (replaced, "license_replaced", "was replaced before: Was faulty"),
    ],
)
def test_what_cannot_be_replaced_is_refused(
    signed_in, rob, question, license, order, change, word, reason
):
    page = signed_in(rob).open(ADDRESS)
    change(license)
    assert license.replacement_refusal().word == word
    answer = filled(question).press("Replace and send")
    assert answer.status == 409
    assert reason in answer.part("announcement").text
    assert page.press("Replace").status == 409
    assert texts(order) == [CODE]
    assert "Replace" not in " ".join(signed_in(rob).open(ADDRESS).names)


def test_a_double_click_replaces_once(question, order):
    filled(question)
    assert [question.press("Replace and send").status for _click in range(2)] == [200, 200]
    assert texts(order) == [CODE, "NEW-1"]
    assert len(order.deliveries) == 1


@pytest.mark.parametrize("windows", [5])
def test_at_one_moment_it_is_replaced_once(app, question, order, windows):
    browsers = [copy_of(question._browser, app) for _window in range(windows)]
    entered = {"text": "NEW-1", "because": "Does not activate"}
    assert send_at_once(app, browsers, question, **entered) == [200] * windows
    assert texts(order) == [CODE, "NEW-1"]
    assert len(order.deliveries) == 1


def test_what_was_confirmed_for_one_address_is_asked_anew_for_another(question, order):
    order.email = "kim@new.example"
    db.session.commit()
    again = filled(question).press("Replace and send")
    assert again.status == 422
    assert "another address by now" in again.text
    assert "mailed to kim@new.example" in again.text
    assert texts(order) == [CODE]
    assert again.press("Replace and send").status == 200
    assert texts(order) == [CODE, "NEW-1"]
    assert order.deliveries[0].to == "kim@new.example"


def test_the_question_names_the_language_that_the_mail_will_have(signed_in, rob, order, acme):
    order.locale, acme.languages = "fr", ["de", "en"]
    db.session.commit()
    assert "in German" in signed_in(rob).open(ADDRESS).press("Replace").text


@pytest.mark.parametrize("length", [10_000, 10_001])
def test_a_license_that_is_too_long_is_said_to_be_and_not_cut(question, order, length):
    answer = filled(question, "x" * length).press("Replace and send")
    assert answer.status == (200 if length == 10_000 else 422)
    assert ("This is too long." in answer.text) == (length > 10_000)
    assert not question.parts("textarea")[0].attributes.get("maxlength")


def test_two_people_replace_it_once(signed_in, rob, ada, license, order):
    questions = [signed_in(person).open(ADDRESS).press("Replace") for person in (rob, ada)]
    answers = [filled(question, f"NEW-{n}") for n, question in enumerate(questions)]
    answers = [answer.press("Replace and send") for answer in answers]
    assert [answer.status for answer in answers] == [200, 409]
    assert "This license was replaced before" in answers[1].part("notice").text
    assert texts(order) == [CODE, "NEW-0"]


def test_a_revoked_license_is_refused_wherever_it_is_sent(app, question, license, rob):
    filled(question).press("Replace and send")
    assert license.resend_refusal().word == "license_revoked"
    headers = {"Authorization": f"Bearer {rob.renew_token()}"}
    path = f"/api/v1{ADDRESS}"
    db.session.commit()
    (told, new) = app.test_client().get(path, headers=headers).json["items"][0]["licenses"]
    assert (told["revoked_because"], told["refused"]["refused"]) == (
        "Does not activate",
        "license_revoked",
    )
    assert told["revoked_at"]
    assert (new["revoked_at"], new["refused"]) == (None, None)


def test_what_is_queued_goes_without_the_license_that_was_replaced(question, license, order):
    other = License.saved(license.item, "OTHER-1")
    alone = Delivery.automatic(license.item, [license], token="a" * 20)
    both = Delivery.automatic(license.item, [license, other], token="b" * 20)
    db.session.commit()
    filled(question).press("Replace and send")
    db.session.expire_all()
    assert alone.status is DeliveryStatus.WITHHELD
    assert (both.status, both.licenses) == (DeliveryStatus.QUEUED, [other])
    assert both.refusal() is None


def test_an_import_of_the_same_order_brings_a_revoked_license_not_back(question, license, order):
    filled(question).press("Replace and send")
    bring_in(order_document())
    assert texts(order) == [CODE, "NEW-1"]
    assert license.revoked_at


def test_a_cancelled_question_is_the_license_again(question, license):
    assert question.press("Cancel").part(f"license-{license.id}").names == [
        "Copy license for Sentinel Antivirus, 1 year",
        "Resend license for Sentinel Antivirus, 1 year",
        "Replace license for Sentinel Antivirus, 1 year",
    ]
