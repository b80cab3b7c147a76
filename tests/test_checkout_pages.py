"""The settings of checkout pages, and the command line: bad input ends in one line and changes
nothing."""

import pytest

from portal.cli.pages import pages
from portal.extensions import db
from portal.languages import LANGUAGES
from portal.models import Change, CheckoutPage, Unsound


@pytest.fixture
def run(app):
    return lambda *arguments: app.test_cli_runner().invoke(pages, arguments)


def test_a_page_has_the_sender_it_was_added_with(run):
    assert run("add", "acme", "--title", "Acme", "--sender", "shop@acme.com").exit_code == 0
    assert CheckoutPage.by_code("acme").sender == "shop@acme.com"
    assert "mail from shop@acme.com" in run("list").output


def test_a_page_goes_back_to_the_default_sender(run, acme):
    run("set", "acme", "--sender", "shop@acme.com")
    assert run("set", "acme", "--sender", "").exit_code == 0
    assert CheckoutPage.by_code("acme").sender is None


@pytest.mark.parametrize(
    "bad",
    [
        ("--sender", "nobody"),
        ("--sender", "a@b.com\nBcc: eve@b.com"),
        ("--sender", "kïm@acme.com"),
        ("--title", " "),
        ("--title", "Acme\nBcc: eve@example.com"),
        ("--title", "x" * 201),
        ("--sender", f"kim@{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 20}.example"),
        ("--reply-to", "nobody"),
        ("--vendor-email", "a@b.com, c@d.com"),
        ("--note", "one\ntwo"),
        ("--languages", "en,xx"),
        ("--languages", "de,"),
        ("--mails-per-minute", "0"),
        ("--mails-per-minute", "many"),
        ("--mails-per-minute", "10001"),
        (),
    ],
)
def test_bad_input_changes_nothing(run, acme, bad):
    before = (acme.title, acme.sender)
    answer = run("set", "acme", *bad)
    assert answer.exit_code == 2
    assert answer.stderr.splitlines()[-1].startswith("Error: ")
    assert (acme.title, acme.sender) == before


def test_a_complaint_names_the_option_that_it_is_about(run, acme):
    answer = run("set", "acme", "--languages", "en,xx")
    assert answer.stderr.splitlines()[-1].startswith("Error: --languages: Use 'en', 'de'")


def changes(page):
    return [(change.field, change.before, change.after) for change in Change.of(page)]


def test_what_the_command_line_changes_is_noted_without_a_name(run, acme):
    options = ("--reply-to", "help@acme.com", "--vendor-email", "boss@acme.com")
    options += (
        "--mails-per-minute",
        "30",
        "--languages",
        "de,en",
        "--note",
        "Ended",
        "--title",
        "A",
    )
    assert run("set", "acme", "--no-delivery", *options).exit_code == 0
    assert {*changes(acme)} == {
        ("reply_to", None, "help@acme.com"),
        ("vendor_email", None, "boss@acme.com"),
        ("mails_per_minute", None, "30"),
        ("languages", "en, de, es, fr, pt_BR", "de, en"),
        ("delivery_note", None, "Ended"),
        ("delivery_allowed", "yes", "no"),
        ("title", "Acme Store", "A"),
    }
    assert {change.by for change in Change.of(acme)} == {None}


def test_an_empty_setting_is_taken_back(run, acme):
    acme.change(
        by=None, reply_to="help@acme.com", mails_per_minute=5, delivery_note="x", languages=["fr"]
    )
    db.session.commit()
    empty = ("--reply-to", "", "--mails-per-minute", "", "--note", "", "--languages", "")
    assert run("set", "acme", *empty).exit_code == 0
    assert (acme.reply_to, acme.mails_per_minute, acme.delivery_note) == (None, None, None)
    assert acme.languages == list(LANGUAGES)


def test_what_stays_as_it_is_is_not_noted(acme):
    acme.change(by=None, title="Acme Store", delivery_allowed=True, languages=list(LANGUAGES))
    assert changes(acme) == []


def test_a_page_is_added_once(run, acme):
    assert run("add", "acme", "--title", "Acme").exit_code == 1
    with pytest.raises(Unsound, match="code"):
        CheckoutPage.add("acme", by=None, title="Acme")
    with pytest.raises(Unsound, match="title"):
        CheckoutPage.add("other", by=None, title="")
    assert [page.code for page in CheckoutPage.all()] == ["acme"]


@pytest.mark.parametrize(
    ("languages", "locale", "language"),
    [
        (["de", "fr"], "fr-CH", "fr"),
        (["de", "fr"], "en_EN", "de"),
        (["de", "fr"], "ja", "de"),
        (list(LANGUAGES), "ja", "en"),
        (["pt_BR"], "pt-PT", "pt_BR"),
    ],
)
def test_a_customer_gets_a_language_of_the_page(acme, languages, locale, language):
    acme.change(by=None, languages=languages)
    assert acme.language_for(locale) == language


def test_staff_read_why_delivery_is_forbidden(acme, order):
    acme.change(by=None, delivery_allowed=False, delivery_note="The contract has ended.")
    refusal = order.items[0].licenses[0].resend_refusal()
    assert refusal.word == "delivery_forbidden"
    assert refusal.sentence.endswith("Acme Store: The contract has ended.")
