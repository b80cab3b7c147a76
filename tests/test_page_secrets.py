"""The secrets of checkout pages: two at most, shown once, and of no use anywhere else."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from standardwebhooks import Webhook

from portal.cli.pages import pages
from portal.extensions import db
from portal.models import CheckoutPage, Hook, PageSecret, Refused

SOUND = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def run(app):
    return lambda *arguments, **given: app.test_cli_runner().invoke(pages, arguments, **given)


def texts(page, hook=Hook.WEBHOOK):
    db.session.expire_all()
    return [secret.text for secret in PageSecret.of(page, hook)]


def test_a_fresh_secret_signs(acme):
    secret = PageSecret.add(acme, Hook.WEBHOOK)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert Webhook(secret)
    assert len(PageSecret.add(acme, Hook.NOVENTIQ)) >= 43


def test_a_secret_is_in_no_column_and_does_not_open_in_another_row(acme, nordsoft):
    secret = PageSecret.add(acme, Hook.WEBHOOK)
    PageSecret.add(nordsoft, Hook.WEBHOOK)
    db.session.commit()
    assert secret not in str(db.session.execute(db.select(PageSecret.__table__)).all())
    ours, theirs = PageSecret.of(acme, Hook.WEBHOOK)[0], PageSecret.of(nordsoft, Hook.WEBHOOK)[0]
    assert ours.text == secret
    theirs.sealed = ours.sealed
    assert theirs.text is None
    assert PageSecret.known_by("nordsoft", Hook.WEBHOOK)[0] is None


def test_a_page_has_two_secrets_of_a_kind_at_most(acme, nordsoft):
    first = PageSecret.add(acme, Hook.WEBHOOK)
    second = PageSecret.add(acme, Hook.WEBHOOK)
    with pytest.raises(Refused) as refused:
        PageSecret.add(acme, Hook.WEBHOOK)
    assert refused.value.refusal.word == "two_secrets"
    PageSecret.add(acme, Hook.NOVENTIQ)
    PageSecret.add(nordsoft, Hook.WEBHOOK)
    PageSecret.of(acme, Hook.WEBHOOK)[0].retire()
    third = PageSecret.add(acme, Hook.WEBHOOK)
    assert texts(acme) == [second, third]
    assert first not in texts(acme)


def test_a_third_secret_is_not_added_by_several_at_once_either(app, acme):
    db.session.commit()

    def add(_number):
        with app.app_context():
            page = CheckoutPage.by_code("acme")
            try:
                PageSecret.add(page, Hook.WEBHOOK)
                db.session.commit()
            except Refused:
                return "refused"
            return "added"

    with ThreadPoolExecutor(8) as people:
        outcomes = list(people.map(add, range(8)))
    assert sorted(outcomes) == ["added"] * 2 + ["refused"] * 6
    assert len(texts(acme)) == 2


def test_what_is_made_up_for_an_unknown_page_looks_like_a_secret_and_is_none(acme):
    PageSecret.add(acme, Hook.WEBHOOK)
    for code in ("nowhere", "ACME", "", "a\0b"):
        page_id, made_up = PageSecret.known_by(code, Hook.WEBHOOK)
        assert page_id is None
        assert len(made_up) == 2
        assert made_up != PageSecret.known_by(code, Hook.WEBHOOK)[1]
    page_id, known = PageSecret.known_by("acme", Hook.WEBHOOK)
    assert (page_id, len(known), known[0]) == (acme.id, 2, texts(acme)[0])


@pytest.mark.parametrize(
    ("hook", "text"),
    [
        (Hook.WEBHOOK, ""),
        (Hook.WEBHOOK, "guess me"),
        (Hook.WEBHOOK, SOUND + "!"),
        (Hook.NOVENTIQ, "short"),
        (Hook.NOVENTIQ, "with a blank in it"),
        (Hook.NOVENTIQ, "x" * 201),
    ],
)
def test_what_cannot_be_a_secret_is_refused_without_being_quoted(acme, hook, text):
    with pytest.raises(ValueError, match="must be") as error:
        PageSecret.add(acme, hook, text)
    assert text == "" or text not in str(error.value)
    assert texts(acme, hook) == []


def test_a_secret_is_printed_once_and_the_older_one_ended(run, acme):
    first = run("secret", "acme", "--for", "webhook").stdout.strip()
    second = run("secret", "acme", "--for", "webhook").stdout.strip()
    assert texts(acme) == [first, second]
    third = run("secret", "acme", "--for", "webhook")
    assert third.exit_code == 1
    assert "has two secrets already" in third.stderr
    ended = run("secret", "acme", "--for", "webhook", "--retire")
    assert (ended.exit_code, first in ended.output) == (0, False)
    assert texts(acme) == [second]


def test_the_only_secret_of_a_page_stays(run, acme):
    run("secret", "acme", "--for", "noventiq")
    answer = run("secret", "acme", "--for", "noventiq", "--retire")
    assert answer.exit_code == 1
    assert "add the new one first" in answer.stderr
    assert len(texts(acme, Hook.NOVENTIQ)) == 1


def test_a_secret_of_the_sender_comes_from_standard_input(run, acme):
    answer = run("secret", "acme", "--for", "noventiq", "--value-stdin", input="secret_key\n")
    assert answer.exit_code == 0
    assert "secret_key" not in answer.output
    assert texts(acme, Hook.NOVENTIQ) == ["secret_key"]


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (("nowhere", "--for", "webhook"), None),
        (("acme",), None),
        (("acme", "--for", "email"), None),
        (("acme", "--for", "webhook", "--value-stdin"), "secret\n"),
        (("acme", "--for", "webhook", "--value-stdin"), b"\xff\n"),
        (("acme", "--for", "webhook", "--value-stdin", "--retire"), f"{SOUND}\n"),
    ],
)
def test_bad_input_changes_nothing(run, acme, arguments, given):
    answer = run("secret", *arguments, input=given)
    assert answer.exit_code in (1, 2)
    assert "Error: " in answer.stderr
    assert texts(acme) == []
