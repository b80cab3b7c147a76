"""The e-mail with a license, as it arrives."""

import io
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from pathlib import Path

import pytest
from babel.messages import mofile, pofile
from flask_security.recoverable import send_reset_password_instructions
from selectolax.lexbor import LexborHTMLParser

from portal.languages import LANGUAGES, language_of
from tests.people import bring_in, order_document

CATALOGUES = sorted(Path("portal/locale").glob("*/LC_MESSAGES/messages.po"))

UNUSUAL = {
    "from": "From here\n.dot\n..dots\n.",
    "blanks": "A  B \t\nC   \nD",
    "line ends": "A\r\nB\rC\nD",
    "markup": "<b>\"A\"</b> & 'B' &amp; {{ 7 }} %(x)s 100%",
    "long": "LONG-" + "0123456789" * 400,
    "scripts": "مفتاح-12345 שלום ключ 密钥 🔑👩‍💻",
    "controls": "A\x0bB\x0cC\u2028D\x85E",
}
WORDS = {
    "en": ("Hello Kim Larsen,", "November 2, 2026"),
    "de": ("Guten Tag Kim Larsen,", "2. November 2026"),
    "fr": ("Bonjour Kim Larsen,", "2 novembre 2026"),
    "es": ("Hola, Kim Larsen:", "2 de noviembre de 2026"),
    "pt-BR": ("Olá, Kim Larsen,", "2 de novembro de 2026"),
}


@pytest.fixture
def resend(signed_in, rob, mailbox):
    """Press Resend and Send for an order, as Rob; the mail that arrives."""

    def press(order, **headers):
        page = signed_in(rob).open(f"/orders/{order.number}", **headers)
        page.press("Resend").press("Send")
        return mailbox.wait_for(1)[-1]

    return press


def lines(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("code", UNUSUAL.values(), ids=UNUSUAL)
def test_a_license_arrives_byte_for_byte_on_lines_of_its_own(acme, resend, code):
    mail = resend(bring_in(order_document(codes=[code])))
    plain, html = mail.iter_parts()
    assert [plain.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]

    text = lines(plain.get_payload(decode=True).decode())
    code = code.strip()
    assert f"\n\n{lines(code)}\n\n" in text
    shown = LexborHTMLParser(html.get_payload(decode=True).decode()).css_first("pre").text()
    assert lines(shown) == lines(code)
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 78


@pytest.mark.parametrize(("locale", "words"), WORDS.items())
def test_the_mail_is_in_the_language_of_the_order(acme, signed_in, rob, mailbox, locale, words):
    order = bring_in(order_document(locale=locale))
    browser = signed_in(rob)
    browser.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "es" if locale == "de" else "de"
    browser.open(f"/orders/{order.number}").press("Resend").press("Send")
    (mail,) = mailbox.wait_for(1)
    for word in words:
        assert word in mail.plain
        assert word in mail.html


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "de"), ("pt-BR", "pt_BR"), ("en_EN", "en"), ("fr_CA", "fr"), ("", "en"), ("tlh", "en")],
)
def test_any_locale_leads_to_one_of_the_languages(locale, language):
    assert language_of(locale) == language


def test_the_headers_say_who_writes_to_whom_and_that_a_machine_does(order, resend):
    order.checkout_page.sender = "shop@acme.example"
    order.checkout_page.title = 'Müller, "Söhne" & Co'
    mail = resend(order)
    name, address = parseaddr(message_from_bytes(mail.raw)["From"])
    assert str(make_header(decode_header(name))) == 'Müller, "Söhne" & Co'
    assert address == mail.sender == "shop@acme.example"
    assert (mail["To"], mail["Cc"], mail["Bcc"]) == ("kim@example.com", None, None)
    assert mail.recipients == ["kim@example.com"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.tzinfo
    assert mail["Message-ID"] == order.deliveries[0].message_id
    assert mail["Message-ID"].endswith("@acme.example>")


def test_no_title_of_a_checkout_page_adds_a_header(order, resend):
    order.checkout_page.title = "Acme\r\nBcc: eve@example.com"
    mail = resend(order)
    assert mail["Bcc"] is None
    assert mail.recipients == ["kim@example.com"]


@pytest.mark.parametrize(
    ("address", "envelope"),
    [
        ("kim@straße.example", "kim@xn--strae-oqa.example"),
        ("kïm@bücher.example", "kïm@xn--bcher-kva.example"),
    ],
)
def test_an_internationalised_address_is_reached(acme, resend, address, envelope):
    mail = resend(bring_in(order_document(customer={"email": address})))
    assert mail.recipients == [envelope]


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-3])
def test_the_catalogues_are_complete_and_compiled(catalogue):
    with catalogue.open("rb") as file:
        read = pofile.read_po(file)
    assert not [message.id for message in read if message.id and not message.string]
    assert not [message.id for message in read if message.id and message.fuzzy]
    assert not list(read.check())
    compiled = io.BytesIO()
    mofile.write_mo(compiled, read)
    assert catalogue.with_suffix(".mo").read_bytes() == compiled.getvalue(), "run 'make messages'"


def test_each_language_has_a_catalogue():
    assert {path.parts[-3] for path in CATALOGUES} | {"en"} == set(LANGUAGES)


@pytest.mark.settings(PORTAL_URL="https://keydesk.example.com/")
def test_a_reset_link_leads_to_the_portal_and_not_where_a_request_says(app, rob, mailbox):
    with app.test_request_context("/password/reset", base_url="http://evil.example"):
        send_reset_password_instructions(rob)
        app.process_response(app.response_class())
    (mail,) = mailbox.wait_for(1)
    assert mail["Subject"] == "Keydesk: Choose a new password"
    assert mail["Auto-Submitted"] == "auto-generated"
    for text in (mail.plain, mail.html):
        assert "https://keydesk.example.com/password/reset/" in text
        assert "evil.example" not in text
