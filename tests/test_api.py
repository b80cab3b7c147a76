"""The API: the same nouns and the same rules, for a team's own programs."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.extensions import db
from tests.people import CODE, KIM, bring_in, item_document, order_document
from tests.support.application import statements
from tests.support.portal import PlainBrowser
from tests.test_license import REFUSALS

ADDRESS = "/api/v1/orders/A0005555555"


class Program:
    """A program of a colleague's, which signs what it asks with their token."""

    def __init__(self, app, person):
        token = person.renew_token()
        db.session.commit()
        self.browser = PlainBrowser(app)
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, address):
        return self.browser.open(address, headers=self.headers).response

    def post(self, address, key=None, **options):
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.browser.open(address, method="POST", headers=headers, **options).response


@pytest.fixture
def program(app, rob):
    return Program(app, rob)


@pytest.fixture
def resends(license):
    return f"{ADDRESS}/licenses/{license.id}/resends"


def test_an_order_is_its_document_and_what_became_of_it(program, order):
    answer = program.get(ADDRESS)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    document = answer.json
    assert (document["number"], document["total"]) == ("A0005555555", "29.95")
    assert document["customer"]["email"] == KIM
    assert document["delivered"] is True
    (license,) = document["items"][0]["licenses"]
    assert (license["text"], license["refused"]) == (CODE, None)
    assert document["deliveries"] == []


def test_what_the_portal_adds_taken_away_it_is_an_order_document_like_any_other(
    program, acme, mailbox
):
    history = [{"at": "2026-11-02T10:00:00Z", "text": "Order created"}]
    document = order_document(external_id="EXT-7", history=history, payment_method="PayPal")
    bring_in(document)
    exported = program.get(ADDRESS).json
    del exported["delivered"], exported["deliveries"]
    for item in exported["items"]:
        for license in item["licenses"]:
            for name in ("id", "refused", "revoked_at", "revoked_because"):
                del license[name]
    order = bring_in(exported)
    assert len(order.items[0].licenses) == len(order.history) == 1


def test_a_resend_sends_and_tells(program, resends, license, mailbox):
    answer = program.post(resends)
    assert answer.status_code == 201
    delivery = answer.json
    assert (delivery["status"], delivery["to"], delivery["by"]) == ("sent", KIM, "rob@example.com")
    assert delivery["licenses"] == [license.id]
    (mail,) = mailbox.messages
    assert mail["Message-ID"] == delivery["message_id"]
    assert program.get(ADDRESS).json["deliveries"] == [delivery]
    assert "was sent to kim@example.com" in program.get(ADDRESS).json["history"][0]["text"]


def test_a_failure_is_told_with_the_answer_of_the_mail_server(program, resends, mail_server):
    mail_server(at="RCPT", answer="550 5.1.1 No such user")
    delivery = program.post(resends).json
    assert (delivery["status"], delivery["failure"]) == ("failed", "address_refused")
    assert delivery["answer"] == "550 5.1.1 No such user"
    assert "Check it with the customer" in delivery["outcome"]


@pytest.mark.parametrize(("change", "word", "reason", "advice"), REFUSALS)
def test_a_refusal_is_told_in_the_words_of_the_page(
    program, resends, license, mailbox, change, word, reason, advice
):
    change(license)
    answer = program.post(resends)
    assert answer.status_code == 409
    assert answer.json["refused"] == word
    assert reason in answer.json["because"]
    assert advice in answer.json["next_step"]
    exported = program.get(ADDRESS).json["items"][0]["licenses"][0]
    assert exported["refused"] == answer.json
    assert mailbox.empty


def test_a_license_that_cannot_be_read_is_null(program, license):
    license.sealed = bytes(len(license.sealed))
    assert program.get(ADDRESS).json["items"][0]["licenses"][0]["text"] is None


def test_the_same_key_sends_once_and_answers_alike(program, resends, mailbox):
    first, second = program.post(resends, key="order-7"), program.post(resends, key="order-7")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert len(mailbox.messages) == 1
    assert program.post(resends, key="order-8").json["id"] != first.json["id"]
    assert len(mailbox.messages) == 2


def test_without_a_key_each_request_sends(program, resends, mailbox):
    program.post(resends)
    program.post(resends)
    assert len(mailbox.messages) == 2


def test_keys_of_two_people_never_meet(app, program, ada, resends, mailbox):
    program.post(resends, key="1")
    assert Program(app, ada).post(resends, key="1").json["by"] == "ada@example.com"
    assert len(mailbox.messages) == 2


def test_a_key_is_good_for_one_license(program, acme, mailbox):
    items = [item_document("1"), item_document("2", codes=["OTHER-2"])]
    first, second = (item.licenses[0] for item in bring_in(order_document(items=items)).items)
    program.post(f"{ADDRESS}/licenses/{first.id}/resends", key="1")
    answer = program.post(f"{ADDRESS}/licenses/{second.id}/resends", key="1")
    assert answer.status_code == 422
    assert answer.json["error"] == "idempotency_key_used"
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize("key", ["with blanks", "x" * 256, "kéy"])
def test_a_key_that_cannot_be_one_is_refused(program, resends, mailbox, key):
    answer = program.post(resends, key=key)
    assert (answer.status_code, answer.json["error"]) == (400, "bad_request")
    assert mailbox.empty


@pytest.mark.parametrize("programs", [6])
def test_the_same_key_at_the_same_moment_sends_once(app, program, resends, mailbox, programs):
    def post(_number):
        headers = program.headers | {"Idempotency-Key": "k"}
        return app.test_client().post(resends, headers=headers).json["id"]

    db.session.rollback()
    with ThreadPoolExecutor(programs) as threads:
        ids = set(threads.map(post, range(programs)))
    assert len(ids) == len(mailbox.messages) == 1


def test_somebody_elses_order_is_not_there(app, ida, order, resends, mailbox):
    program = Program(app, ida)
    for answer in (program.get(ADDRESS), program.post(resends)):
        assert (answer.status_code, answer.json["error"]) == (404, "not_found")
    assert mailbox.empty


def test_a_session_is_no_token(signed_in, rob, order, resends):
    browser = signed_in(rob)
    assert browser.client.get(ADDRESS).status_code == 401
    assert browser.client.post(resends).status_code == 401


@pytest.mark.settings(API_LIMIT="2 per minute")
def test_too_many_requests_are_told_to_wait(program, resends):
    program.post(resends)
    program.post(resends)
    answer = program.post(resends)
    assert (answer.status_code, answer.json["error"]) == (429, "too_many_requests")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_an_order_costs_a_fixed_number_of_statements(app, program, acme):
    def cost(number, items):
        bring_in(order_document(number, items=items))
        db.session.rollback()
        with statements(app) as found:
            assert program.get(f"/api/v1/orders/{number}").status_code == 200
        return len(found)

    many = [item_document(str(ref), codes=["A-1", "B-2"]) for ref in range(20)]
    assert cost("A0000000001", [item_document()]) == cost("A0000000002", many)
