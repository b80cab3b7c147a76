"""What the e-mails say is the vendor's to write, and no license gets lost in it."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from portal import jobs
from portal.extensions import db
from portal.models import Change, Fulfilment, PageText, Product, ProductText, Tool
from portal.tags import SAMPLE, TAGS, around_key, complaint, unlinked
from tests.people import CODE, bring_in, order_document

TEXT = "Dear {FNAME},\n\nyour {PROGRAM_NAME} ({QUANTITY}):\n\n{KEY}\n\nGet it at {URL_FULL}"


@pytest.fixture
def product(acme):
    product = Product.appear(acme.id, {"1001": "Sentinel Antivirus"})["1001"]
    product.url = "https://www.example.com/get"
    db.session.commit()
    return product


def write(product, language="en", subject="", body=TEXT):
    ProductText.write(product, language, subject=subject, body=body, by=None)
    db.session.commit()


@pytest.fixture
def resend(signed_in, rob, mailbox):
    def press(order):
        signed_in(rob).open(f"/orders/{order.number}").press("Resend").press("Send")
        return mailbox.wait_for(1)[-1]

    return press


def plain(mail):
    part = next(mail.iter_parts())
    return part.get_payload(decode=True).decode().replace("\r\n", "\n")


def html(mail):
    return list(mail.iter_parts())[1].get_payload(decode=True).decode()


def test_an_email_says_what_was_written_for_the_product(product, order, resend):
    write(product, subject="Order {ORDER_ID}: here it is")
    mail = resend(order)
    assert mail["Subject"] == "Order A0005555555: here it is"
    assert "Dear Kim,\n\nyour Sentinel Antivirus, 1 year (1):\n\n" in plain(mail)
    assert f"\n{CODE}\n" in plain(mail)
    assert '<a href="https://www.example.com/get"' in html(mail)
    assert order.deliveries[0].text_version.startswith("text/")


@pytest.mark.parametrize("code", ["%00", "nowhere", "Acme"])
def test_there_are_no_texts_where_there_is_no_page(signed_in, ada, acme, code):
    assert signed_in(ada).open(f"/checkout-pages/{code}/texts/en").status == 404


def test_no_two_texts_are_called_alike(acme):
    products = Product.appear(acme.id, {"1": "One", "2": "Two"})
    names = []
    for product, body in [("1", "{KEY} one"), ("1", ""), ("2", "{KEY} two"), ("1", "{KEY} again")]:
        write(products[product], body=body)
        text = ProductText.of(products[product], "en")
        assert (text is None) == (body == "")
        names += [(text.id, text.version)] if text else []
    assert len({*names}) == 3
    assert ProductText.languages_of(products["1"]) == ["en"]
    for language in ("en", "de"):  # of which one was never there
        write(products["1"], language, body="")
    assert ProductText.languages_of(products["1"]) == []


def test_another_language_keeps_the_default(product, acme, resend):
    write(product, "de", body="Bitte sehr:\n\n{KEY}")
    assert "Bitte sehr" not in plain(resend(bring_in(order_document(locale="fr"))))


def test_the_general_part_is_around_every_text(acme, order, resend):
    PageText.write(acme, "en", opening="Hi {FNAME}!", closing="Yours, Acme", by=None)
    db.session.commit()
    text = plain(resend(order))
    assert text.startswith("Hi Kim!\n\nHere is the license")
    assert text.rstrip().endswith("Yours, Acme")


def test_answers_go_where_the_page_says(acme, order, resend):
    acme.reply_to = "help@acme.example"
    db.session.commit()
    assert resend(order)["Reply-To"] == "help@acme.example"


def test_what_a_customer_is_called_is_no_tag_and_no_markup(product, acme, resend):
    write(product)
    customer = {"first_name": "{KEY} <b>{EMAIL}</b>"}
    mail = resend(bring_in(order_document(customer=customer)))
    assert "Dear {KEY} <b>{EMAIL}</b>," in plain(mail)
    assert "&lt;b&gt;" in html(mail)
    assert plain(mail).count(CODE) == 1


PHISHING = {
    "first_name": "Account locked: verify at https://evil.example/login",
    "last_name": "or www.evil.example",
    "company": "evil.com/login",
}


def test_what_a_customer_is_called_is_never_a_link(product, acme, resend):
    write(product, body="{FULLNAME} of {COMPANY}, {EMAIL}: see https://acme.example/help\n\n{KEY}")
    mail = resend(bring_in(order_document(customer=PHISHING)))
    links = [link.attributes["href"] for link in LexborHTMLParser(html(mail)).css("a")]
    assert links == ["https://acme.example/help"]
    for text in (plain(mail), LexborHTMLParser(html(mail)).text()):
        assert "Account locked: verify at https: //evil. example/login or www. evil." in text
        assert "evil. com/login" in text


def test_what_a_vendor_writes_and_where_a_product_is_to_be_had_are_links(product, order, resend):
    write(product, body="{URL}, {URL_FULL} or www.acme.example/?for={ORDER_ID}\n\n{KEY}")
    links = [link.attributes["href"] for link in LexborHTMLParser(html(resend(order))).css("a")]
    assert links == [
        "https://www.example.com/get",
        "https://www.example.com/get",
        "https://www.acme.example/?for=A0005555555",
    ]


@pytest.mark.parametrize(
    "name",
    ["Booking.com", "Delhaize S.A./N.V.", "J.R.R. T.", "Wwwalter", "AC/DC", "A: B. C", "Ång.st"],
)
def test_a_name_that_is_one_stays_as_it_is(name):
    assert unlinked(name) == name


def test_an_information_says_its_text_and_has_no_license(product, acme, mailbox):
    write(product, body="Thank you for {PROGRAM_NAME}.")
    product.tool = Tool.INFORMATION
    order = bring_in(order_document(codes=(), locale="fr"))
    (fulfilment,) = Fulfilment.begin(order)
    db.session.commit()
    jobs.fulfil(fulfilment.id)
    (mail,) = mailbox.messages
    assert "Thank you for Sentinel Antivirus, 1 year." in plain(mail)
    assert "license" not in plain(mail)
    assert mail["Subject"] == "Sur votre commande A0005555555"
    assert order.history[0].sentence == (
        "The email about Sentinel Antivirus, 1 year was sent to kim@example.com"
    )


@pytest.mark.parametrize(
    "text",
    [
        "no tag",
        "{KEY} and {KEY}\n{KEY}",
        "Your key: {KEY}",
        "{KEY}\n{NAME}",
        "{key}\n",
        "{KEY}{KEY}",
    ],
)
def test_a_text_without_its_key_or_with_an_unknown_tag_is_refused(text):
    assert complaint(text, licenses=True)


@pytest.mark.parametrize("text", ["{KEY}", "A {FNAME}\n  {KEY} \n{DATE}", "{ not a tag }\n{KEY}"])
def test_a_text_with_its_key_is_accepted(text):
    assert complaint(text, licenses=True) is None


def test_each_tag_has_a_sample():
    assert {*SAMPLE, "DATE", "COUNTRY"} == set(TAGS)


def test_the_licenses_stand_between_what_is_before_and_after():
    assert around_key("A\n\n{KEY}\n\nB") == ("A", "B")
    assert around_key("A") == ("A", "")


def test_an_operator_writes_a_text_and_sees_it_before(product, signed_in, ada):
    page = signed_in(ada).open(f"/products/{product.id}/texts/de")
    assert "Guten Tag Kim Larsen," in page.text
    tried = page.fill("Text", TEXT).press("Preview")
    assert "Dear Kim," in tried.text
    assert "SAMPLE-2K9QX-PL44R" in tried.text
    assert ProductText.of(product, "de") is None

    saved = tried.press("Save")
    assert "The text was saved." in saved.text
    assert ProductText.of(product, "de").body == TEXT
    assert [change.field for change in Change.of(product)] == ["text (de)"]
    assert Change.of(product)[0].by == ada


def test_a_refused_text_is_not_lost(product, signed_in, ada):
    page = signed_in(ada).open(f"/products/{product.id}/texts/en")
    answer = page.fill("Text", "Hello {NAEM}\n\n{KEY}").press("Save")
    assert answer.status == 422
    assert "There is no tag {NAEM}." in answer.text
    assert "Hello {NAEM}" in answer.text
    assert ProductText.of(product, "en") is None


def test_a_text_that_is_emptied_is_the_default_again(product, signed_in, ada):
    write(product)
    signed_in(ada).open(f"/products/{product.id}/texts/en").fill("Text", "").press("Save")
    assert ProductText.of(product, "en") is None


def test_an_operator_writes_how_emails_begin(acme, signed_in, ada):
    page = signed_in(ada).open("/checkout-pages/acme/texts/en")
    page.fill("Beginning", "Hi {FNAME}!").press("Save")
    assert PageText.of(acme, "en").opening == "Hi {FNAME}!"
    refused = signed_in(ada).open("/checkout-pages/acme/texts/en").fill("End", "{KEY}")
    assert refused.press("Save").status == 422


@pytest.mark.parametrize("product_id", ["0", "2147483648", "9" * 30])
@pytest.mark.parametrize("half", ["", "/html"])
def test_a_product_that_does_not_exist_has_no_texts(acme, signed_in, ada, product_id, half):
    assert signed_in(ada).open(f"/products/{product_id}/texts/en{half}").status == 404


def test_a_language_that_no_email_has_is_not_found(product, signed_in, ada):
    assert signed_in(ada).open(f"/products/{product.id}/texts/xx").status == 404
