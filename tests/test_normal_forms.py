"""No text keeps a process busy for longer than another of its length."""

from time import monotonic
from unicodedata import normalize

import pytest

from portal import vault
from portal.models.search_text import searchable
from portal.normal_forms import normal
from tests.support.portal import PASSWORD

# Sorted as Python sorts them, these would take a quarter of an hour.
MARKS = "a" + "\u0301\u0327" * 200_000

once = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    "text", ["Ju\u0308rgen ﬁ Å", "שָׁלוֹם", "a" + "\u0301" * 30, "e\u0327\u0301 é" * 99]
)
@pytest.mark.parametrize("form", ["NFKC", "NFKD"])
def test_what_a_language_has_is_in_the_form_of_unicode(form, text):
    assert normal(form, text) == normalize(form, text)


@once
@pytest.mark.parametrize("reads", [searchable, lambda text: vault.vault().digest(text)])
def test_many_marks_take_no_longer_than_many_letters(app, reads):
    began = monotonic()
    reads(MARKS)
    assert monotonic() - began < 20


@once
@pytest.mark.parametrize(
    ("email", "password"), [(f"{MARKS}@x.de", PASSWORD), ("rob@example.com", MARKS)]
)
def test_who_signs_in_with_many_marks_keeps_nobody_waiting(stranger, rob, email, password):
    began = monotonic()
    token = stranger.open("/login").parts("input[name=csrf_token]")[0].attributes["value"]
    form = {"email": email, "password": password, "csrf_token": token}
    page = stranger.open("/login", method="POST", data=form)
    assert page.address == "/login"
    form = {"email": email, "csrf_token": token}
    stranger.open("/password/reset", method="POST", data=form)
    assert monotonic() - began < 20
