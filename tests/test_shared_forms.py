"""Two operators at the same settings: what one of them saved is not lost by the other's form."""

import pytest

from portal.extensions import db
from portal.models import PageText, Pool, Product, ProductText, Role, Tool
from tests.people import add_staff
from tests.test_product_settings import URL, choose


@pytest.fixture
def product(acme):
    product = Product.appear(acme.id, {"1001": "Sentinel Antivirus"})["1001"]
    db.session.commit()
    return product


@pytest.fixture
def at_once(signed_in, ada, app):
    """The same page, opened by Ada and by another operator before either saves."""

    def open_(address):
        other = add_staff("otto@example.com", Role.OPERATOR)
        return signed_in(ada).open(address), signed_in(other).open(address)

    return open_


def value(page, id_):
    return page.part(id_).attributes.get("value", "")


def test_what_two_change_in_different_fields_is_saved_of_both(at_once, acme):
    hers, his = at_once("/checkout-pages/acme")
    hers.fill("Title", "Acme Shop").fill("French", False).press("Save")
    answer = his.fill("Answers go to", "help@acme.com").fill("Licenses may be sent", False)
    answer = answer.press("Save")
    assert "The settings were saved." in answer.text
    assert (acme.title, acme.reply_to, acme.delivery_allowed) == (
        "Acme Shop",
        "help@acme.com",
        False,
    )
    assert "fr" not in acme.languages
    assert answer.part("changes").text.count("→") == 4


@pytest.mark.parametrize(
    ("label", "field", "first", "second", "told"),
    [
        ("Title", "title", "Acme Shop", "Acme AG", "Acme Shop"),
        ("Sender", "sender", "shop@acme.com", "sales@acme.com", "shop@acme.com"),
        ("E-mails a minute, at most", "mails_per_minute", "30", "60", "30"),
        ("Language of all other customers", "first_language", "es", "de", "Spanish"),
    ],
)
def test_what_both_changed_is_for_a_person_to_decide(
    at_once, acme, label, field, first, second, told
):
    hers, his = at_once("/checkout-pages/acme")
    hers.fill(label, first).press("Save")
    asked = his.fill(label, second).fill("Vendor’s address", "boss@acme.com").press("Save")
    assert asked.status == 409
    assert f"Save again to replace it: {told}" in asked.part(f"{field}-error").text
    assert "Nothing was saved." in asked.part("settings").text
    assert "ada@example.com" in asked.part("changes").text
    assert "otto@example.com" not in asked.part("changes").text
    assert value(asked, "vendor_email") == "boss@acme.com"

    decided = asked.press("Save")
    assert "The settings were saved." in decided.text
    assert acme.vendor_email == "boss@acme.com"
    assert str(acme.languages[0] if field == "first_language" else getattr(acme, field)) == second


def test_what_both_changed_to_the_same_needs_no_decision(at_once, acme):
    hers, his = at_once("/checkout-pages/acme")
    hers.fill("Title", "Acme Shop").press("Save")
    assert "The settings were saved." in his.fill("Title", "Acme Shop").press("Save").text


def test_what_is_wrong_is_said_of_ones_own_fields_alone(at_once, acme):
    hers, his = at_once("/checkout-pages/acme")
    hers.fill("Title", "Acme Shop").press("Save")
    answer = his.fill("Sender", "nobody").press("Save")
    assert answer.status == 422
    assert value(answer, "title") == "Acme Shop"
    assert "title-error" not in answer.response.text
    assert answer.fill("Sender", "shop@acme.com").press("Save").status == 200
    assert (acme.title, acme.sender) == ("Acme Shop", "shop@acme.com")


@pytest.mark.parametrize("marks", [None, "", "title", ":", "other:1234"])
def test_a_form_without_good_marks_is_saved_as_it_is(signed_in, ada, acme, marks):
    """As it was sent by a page that was open when the portal was brought up to date."""
    page = signed_in(ada).open("/checkout-pages/acme")
    page.filled[page.parts("input[name=seen]")[0]._element] = marks
    answer = page.fill("Sender", "shop@acme.com").press("Save")
    assert "The settings were saved." in answer.text
    assert acme.sender == "shop@acme.com"


def test_a_damaged_mark_has_the_person_decide(signed_in, ada, acme):
    page = signed_in(ada).open("/checkout-pages/acme")
    page.filled[page.parts("input[name=seen]")[0]._element] = "title: sender:\0"
    asked = page.fill("Sender", "shop@acme.com").press("Save")
    assert asked.status == 409
    asked.press("Save")
    assert acme.sender == "shop@acme.com"


def test_one_tool_is_not_set_up_as_another_that_was_chosen_meanwhile(at_once, product):
    Pool.add(title="Keys", by=None)
    web_service_of(product)
    hers, his = at_once(f"/products/{product.id}")
    choose(hers, "Pool").fill("Taken from the pool", "1").press("Save")
    asked = his.fill("Address of the web service", "https://other.example/").press("Save")
    assert asked.status == 409
    assert "Save again to replace it: Pool" in asked.text
    assert product.tool is Tool.POOL
    answer = asked.press("Save")
    assert "signed with this secret" in answer.text or "The settings were saved." in answer.text
    assert product.tool is Tool.WEB_SERVICE
    assert product.settings["url"] == "https://other.example/"


def test_another_name_goes_with_a_tool_that_was_chosen_meanwhile(at_once, product):
    pool = Pool.add(title="Keys", by=None)
    web_service_of(product)
    hers, his = at_once(f"/products/{product.id}")
    choose(hers, "Pool").fill("Taken from the pool", str(pool.id)).press("Save")
    assert "The settings were saved." in his.fill("Name", "Sentinel 2").press("Save").text
    assert (product.name, product.tool) == ("Sentinel 2", Tool.POOL)
    assert product.settings["pool_id"] == pool.id


def web_service_of(product):
    settings = {"url": URL}
    product.set_up(by=None, tool="web_service", settings=settings)
    db.session.commit()


def test_two_at_one_web_service_change_what_each_of_them_changed(at_once, product):
    web_service_of(product)
    hers, his = at_once(f"/products/{product.id}")
    hers.fill("Seconds to wait for an answer, at most", "20").press("Save")
    his.fill("Headers that are always the same", "X-Shop: 7").press("Save")
    assert product.settings["time_out"] == 20
    assert product.settings["extra_headers"] == {"X-Shop": "7"}


@pytest.mark.parametrize("noun", ["product", "page"])
def test_a_text_is_not_written_over_another_that_was_saved_meanwhile(at_once, acme, product, noun):
    texts = (
        f"/products/{product.id}/texts/de" if noun == "product" else "/checkout-pages/acme/texts/de"
    )
    label = "Text" if noun == "product" else "Beginning"
    hers, his = at_once(texts)
    hers.fill(label, "Ihr Code:\n\n{KEY}" if noun == "product" else "Guten Tag").press("Save")
    mine = "Hier ist er:\n\n{KEY}" if noun == "product" else "Hallo"
    asked = his.fill(label, mine).press("Save")
    assert asked.status == 409
    told = "Ihr Code:" if noun == "product" else "Guten Tag"
    assert f"Save again to replace it: {told}" in asked.text
    assert "The text was saved." in asked.press("Save").text
    text = ProductText.of(product, "de") if noun == "product" else PageText.of(acme, "de")
    assert mine == (text.body if noun == "product" else text.opening)


def test_a_preview_asks_nothing(at_once, acme):
    hers, his = at_once("/checkout-pages/acme/texts/en")
    hers.fill("Beginning", "Hello").press("Save")
    seen = his.fill("Beginning", "Dear customer").press("Preview")
    assert seen.status == 200
    assert "Dear customer" in seen.text
    assert seen.press("Save").status == 409


def test_a_pool_is_changed_by_two(at_once, acme):
    pool = Pool.add(title="Keys", by=None)
    db.session.commit()
    hers, his = at_once(f"/pools/{pool.id}")
    hers.fill("Title", "Sentinel keys").press("Save")
    his.fill("Whom to warn", "boss@acme.com").press("Save")
    assert (pool.title, pool.warn_to) == ("Sentinel keys", "boss@acme.com")
