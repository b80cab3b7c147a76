"""An operator sets up a product on its page, tries its web service, and sees no secret twice."""

import re

import pytest

from portal.extensions import db
from portal.fulfilment.answer import Failure, Trouble
from portal.models import Change, Fulfilment, Pool, Product, Tool
from portal.models.fulfilment import FulfilmentState
from tests.people import bring_in, order_document
from tests.support.web_services import json_reply, reply

TOOLS = ("not set up yet", "Web service", "Pool", "Informational e-mail", "License request")
URL = "https://vendor.example/licenses"


@pytest.fixture
def product(acme):
    product = Product.appear(acme.id, {"1001": "Sentinel Antivirus"})["1001"]
    db.session.commit()
    return product


@pytest.fixture
def page(signed_in, ada, product):
    """The page of the product, which Ada opened from the list."""
    return signed_in(ada).open("/orders").press("Products").press("Sentinel Antivirus")


def web_service(page, url=URL):
    page.part("tool-web_service")
    return choose(page, "Web service").fill("Address of the web service", url)


def choose(page, tool):
    """Tick the radio button of a tool, and with it none of the others."""
    tools = page.part("settings").parts(".choices")[1]
    for name in TOOLS:
        tools.fill(name, name == tool)
    return page


def test_an_operator_sets_a_web_service_up_and_gets_the_secret_once(page, product):
    page.fill("Name", "Sentinel").fill("one for each unit", False).fill("one for each item", True)
    answer = web_service(page).press("Save")
    secret = product.settings["secret"]
    assert secret in answer.part("fresh-secret").text
    assert product.license_quantity == "per_item"
    assert answer.text.count(secret) == 1

    again = answer.press("Save")
    assert "The settings were saved." in again.text
    assert secret not in again.response.text
    assert product.settings["secret"] == secret
    changed = again.part("changes").text
    assert "ada@example.com before: – → after: Web service" in changed
    assert "before: one for each unit → after: one for each item" in changed
    assert "secret" in changed


def test_what_was_typed_is_kept_beside_what_is_wrong_with_it(page, product):
    web_service(page, "http://vendor.example/?shop=1").fill("Seconds to wait", "many")
    page.fill("Name", "").fill("Headers that", "Host: x\nX-Shop: 7").fill("Zone", "Order")
    answer = page.press("Save")
    assert answer.status == 422
    assert answer.part("name-error").text == "This has to be filled in."
    assert answer.part("web_service-url").attributes["value"] == "http://vendor.example/?shop=1"
    assert "whole number" not in answer.part("name-error").text

    answer = answer.fill("Name", "Sentinel").press("Save")
    assert answer.status == 422
    assert answer.part("web_service-time_out-error").text == "Use a whole number."
    assert answer.part("web_service-extra_headers-error").text.startswith("Host: Keydesk sets this")
    assert answer.part("web_service-extra_headers").exact_text.strip() == "Host: x\nX-Shop: 7"

    answer.fill("Seconds to wait", "5").fill("Headers that", "X-Shop: 7")
    answer = answer.press("Save")
    assert "The address must start with https://." in answer.text
    assert product.tool is None
    assert Change.of(product) == []


@pytest.mark.parametrize("lines", ["no sign", "=x", "a=1\na=2"])
def test_lines_that_are_no_pairs_are_refused(page, product, lines):
    answer = web_service(page).fill("Parameters that", lines).press("Save")
    assert answer.status == 422
    assert answer.part("web_service-extra_parameters-error").text
    assert answer.part("web_service-extra_parameters").exact_text.strip() == lines
    assert product.tool is None


def test_a_header_that_was_saved_is_never_shown_and_stays(page, product):
    web_service(page).fill("Headers that", "Authorization: Bearer 123")
    answer = page.fill("Order", "order_id").fill("Zone", " ").press("Save")
    assert "Bearer 123" not in answer.response.text
    assert answer.part("web_service-extra_headers").exact_text.strip() == "Authorization: •••"
    assert answer.part("web_service-parameter_names_Order").attributes["value"] == "order_id"
    assert product.settings["parameter_names"] == {"Order": "order_id", "Zone": ""}

    answer.fill("Seconds to wait", "20").fill("Headers that", "Authorization: •••\nX-Shop: 7")
    answer = answer.press("Save")
    assert product.settings["extra_headers"] == {"Authorization": "Bearer 123", "X-Shop": "7"}
    assert "Bearer 123" not in answer.response.text
    assert "extra headers: X-Shop" in answer.part("changes").text


def test_what_gives_access_in_the_address_or_a_parameter_is_not_shown_and_stays(page, product):
    web_service(page, f"{URL}?token=abc123").fill("Parameters that", "api_key=def456")
    answer = page.press("Save")
    assert "abc123" not in answer.response.text
    assert "def456" not in answer.response.text
    assert answer.part("web_service-url").attributes["value"] == f"{URL}?•••"
    assert answer.part("web_service-extra_parameters").exact_text.strip() == "api_key=•••"

    answer = answer.fill("Seconds to wait", "20").press("Save")
    assert product.settings["url"] == f"{URL}?token=abc123"
    assert product.settings["extra_parameters"] == {"api_key": "def456"}
    answer = answer.fill("Address of the web service", f"{URL}?token=ghi789").press("Save")
    assert product.settings["url"] == f"{URL}?token=ghi789"
    assert f"{URL}?•••" in answer.part("changes").text
    assert f"{URL}?another •••" in answer.part("changes").text
    written = str([(change.before, change.after) for change in Change.of(product)])
    assert not any(secret in written for secret in ("abc123", "def456", "ghi789"))


ELSEWHERE = "https://elsewhere.example/licenses"


def test_another_host_gets_nothing_that_was_meant_for_the_former(page, product):
    web_service(page, f"{URL}?token=abc").fill("Headers that", "Authorization: Bearer 123")
    page = page.fill("Parameters that", "api_key=def456").press("Save")
    before = product.settings

    answer = page.fill("Address of the web service", f"{ELSEWHERE}?•••").press("Save")
    assert answer.status == 422
    for field in ("url", "extra_headers", "extra_parameters"):
        assert "give it again" in answer.part(f"web_service-{field}-error").text
    assert product.settings == before

    answer.fill("Address of the web service", ELSEWHERE).fill("Headers that", "X-Key: 7")
    answer = answer.fill("Parameters that", "").press("Save")
    assert product.settings["url"] == ELSEWHERE
    assert product.settings["extra_headers"] == {"X-Key": "7"}
    assert product.settings["secret"] != before["secret"]
    assert product.settings["secret"] in answer.part("fresh-secret").text


def test_the_same_host_keeps_what_it_got(page, product):
    page = web_service(page).fill("Headers that", "X-Key: 7").press("Save")
    before = product.settings
    page.fill("Address of the web service", "https://VENDOR.example/v2").press("Save")
    assert product.settings == before | {"url": "https://vendor.example/v2"}


def test_an_inner_host_is_allowed_alone(page, product):
    web_service(page, "http://one.internal/").fill("The address may be", True)
    page = page.press("Save").fill("Address of the web service", "http://two.internal/")
    answer = page.press("Save")
    assert answer.status == 422
    assert "give it again" in answer.part("web_service-inner_host_allowed-error").text
    assert product.settings["url"] == "http://one.internal/"

    again = answer.press("Save")
    assert "must start with https://" in again.text
    again.fill("The address may be", True).press("Save")
    assert product.settings["url"] == "http://two.internal/"
    assert product.settings["inner_host_allowed"] is True


def test_what_is_hidden_is_not_kept_under_another_name(page, product):
    page = web_service(page).fill("Parameters that", "a=1").press("Save")
    answer = page.fill("Parameters that", "b=•••").press("Save")
    assert answer.status == 422
    assert "give it again" in answer.part("web_service-extra_parameters-error").text


def test_a_pool_is_chosen_by_its_title(page, product):
    answer = choose(page, "Pool").press("Save")
    assert answer.status == 422
    assert answer.part("pool-pool_id-error").text == "This has to be filled in."
    db.session.add(Pool(title="Antivirus keys"))
    db.session.commit()
    pool = db.session.scalars(db.select(Pool)).one()
    page = page._browser.open(page.address)
    choose(page, "Pool").fill("Taken from the pool", str(pool.id)).fill("Send what there is", True)
    assert "The settings were saved." in page.press("Save").text
    assert product.settings == {"pool_id": pool.id, "send_what_is_there": True}


def test_who_is_asked_for_licenses_has_an_address(page, product):
    answer = choose(page, "License request").fill("Who enters the licenses", "nobody").press("Save")
    assert answer.status == 422
    assert "@-sign" in answer.part("license_request-notify-error").text
    answer.fill("Who enters the licenses", "boss@acme.com").press("Save")
    assert product.settings == {"notify": "boss@acme.com"}


def test_an_information_needs_nothing(page, product):
    answer = choose(page, "Informational e-mail").press("Save")
    assert "The settings were saved." in answer.text
    assert product.tool is Tool.INFORMATION


def test_setting_a_tool_has_what_waited_worked_on(app, signed_in, ada, acme):
    (fulfilment,) = Fulfilment.begin(bring_in(order_document(codes=())))
    fulfilment.stand_down()
    db.session.commit()
    page = signed_in(ada).open("/products")
    assert "1 waiting" in page.text
    choose(page.press("Sentinel Antivirus"), "Informational e-mail").press("Save")
    assert (fulfilment.state, fulfilment.due_at is None) == (FulfilmentState.WAITING, False)
    assert app.extensions["jobs"].huey.pending_count() == 1


def test_what_failed_is_started_again_from_the_page_of_its_product(signed_in, ada, acme, queue):
    (begun,) = Fulfilment.begin(bring_in(order_document(codes=())))
    begun.take(Trouble(Failure.SERVICE_REFUSED, is_temporary=False))
    begun.product.tool = Tool.INFORMATION
    db.session.commit()
    page = signed_in(ada).open(f"/products/{begun.product_id}")
    assert "1 failed" in page.text

    page.press("Start the failed one again")
    page = signed_in(ada).open(f"/products/{begun.product_id}")
    assert "1 waiting" in page.text
    assert "Start the failed" not in page.text
    assert queue.pending_count() == 1
    assert (begun.state, begun.is_due) == (FulfilmentState.WAITING, True)
    assert begun.item.order.history[0].by == ada


def test_a_secret_is_replaced_once_however_often_it_is_asked_for(page, product):
    answer = web_service(page).press("Save")
    first = product.settings["secret"]
    replaced = answer.press("Replace the secret")
    second = product.settings["secret"]
    assert second in replaced.part("fresh-secret").text
    assert second != first
    again = answer.press("Replace the secret")
    assert again.status == 409
    assert "nothing was done" in again.text
    assert second not in again.response.text
    assert product.settings["secret"] == second


def test_trying_a_web_service_shows_both_sides_and_no_key(page, product, service):
    service.answer = json_reply({"license": "AAAA-BBBB"})
    web_service(page, f"{service.url}?token=abc123").fill("The address may be", True)
    page.fill("Headers that", "Authorization: Bearer 123").fill("Parameters that", "key=def456")
    trial = page.press("Save").press("Try it")
    (asked,) = service.asked
    assert asked.headers["keydesk-test"] == "true"
    assert asked.headers["authorization"] == "Bearer 123"
    assert "The answer is good" in trial.text
    assert '"ID":"1001"' in trial.text
    assert "AAAA-BBBB" in trial.text
    assert "Bearer 123" not in trial.response.text
    assert product.settings["secret"] not in trial.response.text
    assert "abc123" not in trial.response.text
    assert "def456" not in trial.response.text
    assert "def456" in asked.body.decode()

    service.answer = reply("<b>no</b>", status=503)
    trial = trial.press("Try it again")
    assert "HTTP 503 Service Unavailable" in trial.text
    assert "<b>no</b>" in trial.text
    assert Fulfilment.awaiting([product]) == {}


def test_there_is_nothing_to_try_without_a_web_service(signed_in, ada, product):
    browser = signed_in(ada)
    token = browser.open("/products").parts("input[name=csrf_token]")[0].attributes["value"]
    headers = {"X-CSRFToken": token}
    for path in ("trials", "secrets"):
        answer = browser.open(f"/products/{product.id}/{path}", method="POST", headers=headers)
        assert answer.status == 409
        assert len(answer.parts(".notice")) == 1


def test_a_product_is_added_before_its_first_order(signed_in, ada, acme):
    page = signed_in(ada).open("/products").press("Add one beforehand")
    answer = page.fill("Product id", "77").press("Add")
    assert answer.status == 422
    assert answer.part("name-error").text == "This has to be filled in."
    answer = answer.fill("Name", "Sentinel Pro").press("Add")
    assert answer.title.startswith("Sentinel Pro")
    assert Product.of(acme.id, "77")
    again = signed_in(ada).open("/products/new")
    again = again.fill("Product id", "77").fill("Name", "Sentinel Pro").press("Add")
    assert "has a product 77 already" in again.part("code-error").text


def test_products_are_found_by_name_code_and_checkout_page(signed_in, ada, product, nordsoft):
    Product.appear(nordsoft.id, {"2%": "100 % Backup"})
    browser = signed_in(ada)
    found = browser.open("/products").fill("Search products", "%").press("Find")
    assert [row.text.split()[0] for row in found.parts("tbody tr")] == ["100"]
    assert "No products" in browser.open("/products?q=Backup&page=acme").text
    assert "Backup" not in browser.open("/products?page=acme").part("main").text
    assert "No products" in browser.open("/products?q=%00x").text


@pytest.mark.parametrize("product_id", ["0", "2147483648", "9" * 30, "x"])
def test_a_product_that_does_not_exist_is_not_found(signed_in, ada, product, product_id):
    assert signed_in(ada).open(f"/products/{product_id}").status == 404


def test_settings_that_cannot_be_read_do_not_break_the_page(signed_in, ada, product):
    product.tool, product.sealed = Tool.WEB_SERVICE, b"nothing that could be read"
    db.session.commit()
    page = signed_in(ada).open(f"/products/{product.id}")
    assert page.status == 200
    assert "cannot be read" in page.text


def test_the_changes_tell_the_two_addresses_of_a_product_apart(page, product):
    web_service(page).fill("Address of the product", "https://acme.example/sentinel").press("Save")
    changed = page._browser.open(f"/products/{product.id}").part("changes").text
    for name, address in (
        ("Address of the product", "https://acme.example/sentinel"),
        ("Address of the web service", URL),
    ):
        assert re.search(f"{name}[^→]*→ after: {re.escape(address)}", changed), changed
