"""Two operators at the same settings: what one of them saved is not lost by the other's form."""

from io import BytesIO
from threading import Thread

import pytest
from sqlalchemy import event

from portal.extensions import db
from portal.models import CheckoutPage, PageText, Pool, Product, ProductText, Role, Staff, Tool
from tests.people import add_staff
from tests.support.application import engines_of
from tests.test_product_settings import URL, choose

WHOSE = "others have changed something since this page was opened (ada@example.com)"


@pytest.fixture
def product(acme):
    product = Product.appear(acme.id, {"1001": "Sentinel Antivirus"})["1001"]
    db.session.commit()
    return product


@pytest.fixture
def service(product):
    """The product with a web service of which something of each kind is set."""
    settings = {
        "url": URL,
        "method": "GET",
        "time_out": 30,
        "temporary_pattern": "busy",
        "vendor_mails": True,
        "parameter_names": {"Order": "ord"},
        "extra_headers": {"X-Key": "old"},
    }
    product.set_up(by=None, tool="web_service", settings=settings)
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


def seen_of(page):
    return page.parts("input[name=seen]")[0]._element


def test_what_somebody_else_saved_is_seen_before_anything_is_saved(at_once, acme):
    hers, his = at_once("/checkout-pages/acme")
    hers.fill("Title", "Acme Shop").fill("French", False).press("Save")
    his.fill("Answers go to", "help@acme.com").fill("Licenses may be sent", False)
    asked = his.press("Save")
    assert asked.status == 409
    assert WHOSE in asked.part("settings-complaint").text
    assert (acme.reply_to, acme.delivery_allowed) == (None, True)
    assert (value(asked, "title"), value(asked, "reply_to")) == ("Acme Shop", "help@acme.com")
    assert "title-error" not in asked.response.text
    assert asked.part("changes").text.count("ada@example.com") == 2

    assert "The settings were saved." in asked.press("Save").text
    assert (acme.title, acme.reply_to) == ("Acme Shop", "help@acme.com")
    assert not acme.delivery_allowed
    assert "fr" not in acme.languages


@pytest.mark.parametrize(
    ("label", "field", "first", "second", "told"),
    [
        ("Title", "title", "Acme Shop", "Acme AG", "Acme Shop"),
        ("Sender", "sender", "shop@acme.com", "sales@acme.com", "shop@acme.com"),
        ("E-mails a minute, at most", "mails_per_minute", "30", "60", "30"),
        ("Language of all other customers", "first_language", "es", "de", "Spanish"),
    ],
)
def test_what_both_changed_shows_both(at_once, acme, label, field, first, second, told):
    hers, his = at_once("/checkout-pages/acme")
    hers.fill(label, first).press("Save")
    asked = his.fill(label, second).press("Save")
    assert asked.status == 409
    said = asked.part(f"{field}-error").text
    assert said == f"Saved meanwhile, and replaced if you save again: {told}"

    assert "The settings were saved." in asked.press("Save").text
    assert str(acme.languages[0] if field == "first_language" else getattr(acme, field)) == second


def test_a_third_change_is_asked_about_as_well(at_once, acme):
    hers, his = at_once("/checkout-pages/acme")
    hers = hers.fill("Title", "Acme Shop").press("Save")
    asked = his.fill("Sender", "shop@acme.com").press("Save")
    hers.fill("Title", "Acme AG").press("Save")
    again = asked.press("Save")
    assert again.status == 409
    assert value(again, "title") == "Acme AG"
    again.press("Save")
    assert (acme.title, acme.sender) == ("Acme AG", "shop@acme.com")


def test_what_is_wrong_is_said_first(at_once, acme):
    hers, his = at_once("/checkout-pages/acme")
    hers.fill("Title", "Acme Shop").press("Save")
    answer = his.fill("Sender", "nobody").press("Save")
    answer = answer.press("Save") if answer.status == 409 else answer
    assert answer.status == 422
    assert value(answer, "title") == "Acme Shop"
    assert "The settings were saved." in answer.fill("Sender", "shop@acme.com").press("Save").text
    assert (acme.title, acme.sender) == ("Acme Shop", "shop@acme.com")


@pytest.mark.parametrize(
    ("label", "typed"),
    [("Title", "Acme Shop "), ("Sender", "Shop@ACME.com"), ("E-mails a minute, at most", "07")],
)
def test_the_same_form_sent_twice_is_saved_twice(signed_in, ada, acme, label, typed):
    """By a double click, or on going back: the person knows what they did."""
    page = signed_in(ada).open("/checkout-pages/acme").fill(label, typed)
    assert page.press("Save").status == 200
    assert "The settings were saved." in page.press("Save").text


@pytest.mark.parametrize(
    "seen", [None, "", "title", ":", "7" * 50, "7" * 5000, "²", "1 title: sender:\0"]
)
def test_a_form_that_does_not_say_what_it_saw_is_saved_as_it_is(signed_in, ada, acme, seen):
    """As it is sent by a page that was open when the portal was brought up to date."""
    page = signed_in(ada).open("/checkout-pages/acme")
    page.filled[seen_of(page)] = seen
    answer = page.fill("Sender", "shop@acme.com").press("Save")
    assert "The settings were saved." in answer.text
    assert acme.sender == "shop@acme.com"


def test_a_file_in_its_place_is_no_error(signed_in, ada, acme):
    browser = signed_in(ada)
    page = browser.open("/checkout-pages/acme")
    token = page.parts("input[name=csrf_token]")[0].attributes["value"]
    sent = {"csrf_token": token, "title": "Acme Shop", "languages": "en", "first_language": "en"}
    data = sent | {"seen": (BytesIO(b"1"), "seen.txt")}
    assert browser.open("/checkout-pages/acme", method="POST", data=data).status == 200
    assert acme.title == "Acme Shop"


def test_what_a_form_does_not_show_is_not_its_business(at_once, acme, product):
    hers, his = at_once("/checkout-pages/acme")
    hers.press("How its e-mails begin and end").fill("Beginning", "Hello").press("Save")
    hers.press("How its e-mails begin and end").press("German").fill("End", "Ihre").press("Save")
    assert "The settings were saved." in his.fill("Title", "Acme Shop").press("Save").text
    texts = his.press("How its e-mails begin and end").press("French")
    assert "The text was saved." in texts.fill("End", "Merci").press("Save").text


def test_nobody_allows_a_host_that_they_have_not_seen(at_once, service):
    hers, his = at_once(f"/products/{service.id}")
    hers.fill("Address of the web service", "https://other.example/")
    hers.fill("Headers that are always the same", "X-Key: new").press("Save")
    asked = his.fill("The address may be in the inner network", True).press("Save")
    assert asked.status == 409
    assert not service.settings["inner_host_allowed"]
    assert "replaced if you save again: https://other.example/" in asked.text


def test_what_is_hidden_is_not_replaced_unseen(at_once, service):
    hers, his = at_once(f"/products/{service.id}")
    hers.fill("Headers that are always the same", "X-Key: hers").press("Save")
    asked = his.fill("Headers that are always the same", "X-Key: his").press("Save")
    assert asked.status == 409
    assert WHOSE in asked.text
    assert service.settings["extra_headers"] == {"X-Key": "hers"}
    assert "X-Key: hers" not in asked.part("settings").text
    asked.press("Save")
    assert service.settings["extra_headers"] == {"X-Key": "his"}


def test_a_tool_that_was_worked_on_stays_as_a_whole_where_another_was_chosen(at_once, service):
    pool = Pool.add(title="Keys", by=None)
    db.session.commit()
    before = dict(service.settings)
    hers, his = at_once(f"/products/{service.id}")
    choose(hers, "Pool").fill("Taken from the pool", str(pool.id)).press("Save")
    asked = his.fill("Seconds to wait for an answer, at most", "20")
    asked = asked.fill("Headers that are always the same", "X-Key: new").press("Save")
    assert asked.status == 409
    assert "replaced if you save again: Pool" in asked.text
    assert len(asked.part("settings").parts(".error")) == 1
    assert service.tool is Tool.POOL
    assert asked.press("Save").status == 200
    assert service.tool is Tool.WEB_SERVICE
    kept = before | {"time_out": 20, "extra_headers": {"X-Key": "new"}}
    assert service.settings | {"secret": ""} == kept | {"secret": ""}


def test_a_tool_that_was_chosen_meanwhile_stays_where_nobody_touched_it(at_once, service):
    pool = Pool.add(title="Keys", by=None)
    db.session.commit()
    hers, his = at_once(f"/products/{service.id}")
    choose(hers, "Pool").fill("Taken from the pool", str(pool.id)).press("Save")
    asked = his.fill("Name", "Sentinel 2").press("Save")
    assert asked.status == 409
    assert asked.part("settings").parts(".error") == []
    asked.press("Save")
    assert (service.name, service.tool) == ("Sentinel 2", Tool.POOL)
    assert service.settings["pool_id"] == pool.id


def test_another_tool_is_chosen_knowing_what_was_changed_of_the_former(at_once, service):
    pool = Pool.add(title="Keys", by=None)
    db.session.commit()
    hers, his = at_once(f"/products/{service.id}")
    hers.fill("Seconds to wait for an answer, at most", "20").press("Save")
    asked = choose(his, "Pool").fill("Taken from the pool", str(pool.id)).press("Save")
    assert asked.status == 409
    assert service.settings["time_out"] == 20
    asked.press("Save")
    assert (service.tool, service.settings["pool_id"]) == (Tool.POOL, pool.id)


@pytest.mark.parametrize("noun", ["product", "page"])
def test_a_text_is_not_written_over_another_unseen(at_once, acme, product, noun):
    of_product = noun == "product"
    address = f"/products/{product.id}" if of_product else "/checkout-pages/acme"
    label = "Text" if of_product else "Beginning"
    theirs = "Ihr Code:\n\n{KEY}" if of_product else "Guten\nTag"
    mine = "Hier ist er:\n\n{KEY}" if of_product else "Hallo"
    hers, his = at_once(f"{address}/texts/de")
    hers.fill(label, theirs).press("Save")
    asked = his.fill(label, mine).press("Save")
    assert asked.status == 409
    assert WHOSE in asked.text
    assert " ".join(theirs.split()) in asked.text
    assert "The text was saved." in asked.press("Save").text
    text = ProductText.of(product, "de") if of_product else PageText.of(acme, "de")
    assert mine == (text.body if of_product else text.opening)


def test_a_pair_of_texts_is_looked_at_as_a_pair(at_once, product):
    ProductText.write(product, "en", subject="", body="{KEY}", by=None)
    db.session.commit()
    hers, his = at_once(f"/products/{product.id}/texts/en")
    hers.fill("Subject", "New").press("Save")
    asked = his.fill("Text", "").press("Save")
    assert asked.status == 409
    assert "A text is needed." in asked.press("Save").text
    assert ProductText.of(product, "en").body == "{KEY}"


def test_a_preview_asks_nothing(at_once, acme):
    hers, his = at_once("/checkout-pages/acme/texts/en")
    hers.fill("Beginning", "Hello").press("Save")
    seen = his.fill("Beginning", "Dear customer").press("Preview")
    assert seen.status == 200
    assert "Dear customer" in seen.text
    assert seen.press("Save").status == 409


@pytest.mark.parametrize("threshold", ["0", "5"])
def test_a_pool_is_changed_by_two(at_once, acme, threshold):
    pool = Pool.add(title="Keys", by=None)
    db.session.commit()
    hers, his = at_once(f"/pools/{pool.id}")
    hers.fill("Title", "Sentinel keys")
    hers.fill("Warn when so many licenses are left", threshold).press("Save")
    asked = his.fill("Whom to warn", "boss@acme.com").press("Save")
    assert asked.status == 409
    assert asked.parts(".error") == []
    asked.press("Save")
    assert (pool.title, pool.warn_to) == ("Sentinel keys", "boss@acme.com")
    assert pool.threshold == int(threshold)


def test_what_is_saved_while_the_page_is_drawn_is_not_lost(app, signed_in, ada, acme):
    """Between the moment that the page has its settings and the moment that it is sent."""
    other_id = add_staff("otto@example.com", Role.OPERATOR).id
    browser = signed_in(ada)
    threads = []

    def save():
        with app.app_context():
            page = CheckoutPage.by_code("acme")
            page.change(by=db.session.get(Staff, other_id), title="Acme Shop")
            db.session.commit()

    def look(_connection, _cursor, statement, *_rest):
        if "checkout_pages.code = " in statement and not threads:
            threads.append(Thread(target=save))
            threads[0].start()
            threads[0].join()

    engines = engines_of(app)
    for engine in engines:
        event.listen(engine, "after_cursor_execute", look)
    page = browser.open("/checkout-pages/acme")
    for engine in engines:
        event.remove(engine, "after_cursor_execute", look)
    assert threads

    answer = page.fill("Sender", "shop@acme.com").press("Save")
    answer = answer.press("Save") if answer.status == 409 else answer
    assert "The settings were saved." in answer.text
    db.session.expire_all()
    assert (acme.title, acme.sender) == ("Acme Shop", "shop@acme.com")
