"""An operator sets up a checkout page on its page; what was typed is kept when it is wrong."""

import pytest

from portal.models import Change, CheckoutPage


def test_an_operator_changes_the_settings_and_sees_who_did(signed_in, ada, acme):
    page = signed_in(ada).open("/orders").press("Checkout pages").press("Acme Store")
    page.fill("Title", "Acme Shop").fill("Licenses may be sent", False)
    page.fill("Why not", "The contract has ended.").fill("Sender", "shop@acme.com")
    page.fill("Answers go to", "help@acme.com").fill("E-mails a minute, at most", "30")
    page.fill("German", False).fill("French", False)
    page.fill("Language of all other customers", "es").fill("Vendor’s address", "boss@acme.com")
    answer = page.press("Save")
    assert answer.address == "/checkout-pages/acme"
    assert "The settings were saved." in answer.text
    assert (acme.title, acme.delivery_allowed, acme.mails_per_minute) == ("Acme Shop", False, 30)
    assert acme.languages == ["es", "en", "pt_BR"]
    assert (acme.reply_to, acme.vendor_email) == ("help@acme.com", "boss@acme.com")
    assert "Licenses may be sent" in answer.part("changes").text
    assert "ada@example.com before: yes → after: no" in answer.part("changes").text


def test_saving_what_is_there_changes_nothing(signed_in, ada, acme):
    answer = signed_in(ada).open("/checkout-pages/acme").press("Save")
    assert "The settings were saved." in answer.text
    assert "Nothing has been changed yet." in answer.part("changes").text


def test_what_was_typed_is_kept_beside_what_is_wrong_with_it(signed_in, ada, acme):
    page = signed_in(ada).open("/checkout-pages/acme")
    page.fill("Title", "").fill("Sender", "nobody").fill("E-mails a minute, at most", "many")
    answer = page.fill("Answers go to", "help@acme.com").press("Save")
    assert answer.status == 422
    assert answer.part("title-error").text == "This has to be filled in."
    assert "@-sign" in answer.part("sender-error").text
    assert answer.part("mails_per_minute-error").text == "Use a whole number."
    assert answer.part("sender").attributes["value"] == "nobody"
    assert answer.part("sender").attributes["aria-describedby"] == "sender-error sender-help"
    assert answer.part("reply_to").attributes["value"] == "help@acme.com"
    assert acme.title == "Acme Store"
    assert Change.of(acme) == []


def test_a_checkout_page_is_added_on_a_page(signed_in, ada):
    page = signed_in(ada).open("/checkout-pages")
    assert "No checkout pages yet" in page.text
    answer = page.fill("Title", "Acme").fill("Code", "acme").press("Add")
    assert answer.address == "/checkout-pages/acme"
    assert CheckoutPage.by_code("acme").title == "Acme"
    assert "added" in answer.part("changes").text


@pytest.mark.parametrize(("title", "code"), [("", "shop"), ("Shop", "My Shop"), ("Shop", "acme")])
def test_a_page_that_cannot_be_is_not_added(signed_in, ada, acme, title, code):
    page = signed_in(ada).open("/checkout-pages")
    answer = page.fill("Title", title).fill("Code", code).press("Add")
    assert answer.status == 422
    assert len(answer.parts(".error")) == 1
    assert answer.part("code").attributes["value"] == code
    assert len(CheckoutPage.all()) == 1


def test_an_agent_sees_nothing_of_it(signed_in, rob, acme):
    browser = signed_in(rob)
    assert "Checkout pages" not in browser.open("/orders").names
    assert browser.open("/checkout-pages").status == 403
    assert browser.open("/checkout-pages/acme").status == 403


@pytest.mark.parametrize("code", ["nowhere", "Acme", "a" * 100, "%00", "acme%20"])
def test_a_page_that_does_not_exist_is_not_found(signed_in, ada, acme, code):
    assert signed_in(ada).open(f"/checkout-pages/{code}").status == 404


def test_from_a_refused_resend_an_operator_gets_to_the_settings(signed_in, ada, rob, acme, order):
    acme.change(by=ada, delivery_allowed=False, delivery_note="The contract has ended.")
    agent, operator = (signed_in(person).open("/orders/A0005555555") for person in (rob, ada))
    assert "Acme Store: The contract has ended." in agent.text
    assert "Settings of the checkout page" not in agent.names
    page = operator.press("Settings of the checkout page")
    assert page.address == "/checkout-pages/acme"
