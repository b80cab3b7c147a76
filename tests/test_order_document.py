"""The schema is the contract: what it accepts comes in, and what it refuses does not."""

import json
import re
from copy import deepcopy
from datetime import datetime
from pathlib import Path

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from portal.intake.complaints import DocumentError
from portal.intake.document import read_document
from portal.intake.values import _USUAL_ADDRESS
from tests.people import NUMBER, order_document

DOCS = Path(__file__).parent.parent / "docs"
SCHEMA = json.loads((DOCS / "order.schema.json").read_text())
CONTRACT = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)

FULL = order_document(
    external_id="EXT-7",
    locale="de",
    payment_method="CreditCard",
    customer={"phone": "+49 30 1", "company": "Larsen & Co", "country": "DE", "type": "legal"},
    items=[
        {
            "id": "1",
            "product": {"id": "1001", "sku": "AV-1Y", "name": "Sentinel"},
            "quantity": 2,
            "amount": "29.95",
            "refunded_at": "2026-11-03T10:00:00Z",
            "licenses": [{"text": "AAA-1", "received_at": "2026-11-02T10:06:00.123456789+01:00"}],
        },
        {"id": "2", "product": {"id": "1", "name": "VPN"}, "quantity": 1, "amount": "0.00"},
    ],
    history=[{"at": "2026-11-02T10:00:00Z", "text": "Order created\nby web"}],
)


def paths(part, here=()):
    """Where something stands in a document: every field, element and whole."""
    yield here
    if isinstance(part, (dict, list)):
        inside = part.items() if isinstance(part, dict) else enumerate(part)
        for key, value in inside:
            yield from paths(value, (*here, key))


def replaced(document, path, value):
    changed = {"all": deepcopy(document)}
    place = changed
    for key in ("all", *path)[:-1]:
        place = place[key]
    place[("all", *path)[-1]] = value
    return changed["all"]


def removed(document, path):
    changed = deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return changed


PLACES = list(paths(FULL))
NEAR_MISSES = [
    "", " ", "a", "-", "\n", "29.95", "29,95", "29.9", "٢٩.٩٥", "1" * 13 + ".00", "EUR", "eur",
    "DEU", "A1", "AB1", "ABCD1", "A1\n", "acme", "Acme", "-acme", "a" * 63, "a" * 64, "x" * 65,
    "x" * 255, "x" * 256,
    "x" * 1001, "x" * 10_000, "x" * 10_001, "🔑" * 64, "🔑" * 65, "paid", "Paid",
    "deleted", "not paid", "legal", "2026-11-01", "2026-11-01T10:00:00", "2026-11-01 10:00:00Z",
    "2026-11-01T10:00:00Z", "2026-02-30T10:00:00Z", "2026-11-01T24:00:00Z", "2026-11-01T10:00Z",
    "2026-11-01T10:00:00+0100", "2026-11-01T10:00:00,5Z", "2026-11-01T10:00:00+25:00", "1700000000",
    "2026-11-01T10:00:00+10:60", "2026-11-01T10:00:00-09:75",
    "20261101T100000Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-12-31T23:59:59Z",
    "1971-01-01T00:00:00+14:00", "kim@example.com", "kim", "Kim <kim@example.com>", "a\x00b",
    "a\u2028b", "a\x85b", "kim@example.com\r\nBcc: eve@example.net", 0, 1, -1, 1.0, 1.5, 100_000,
    100_001, 1e400, 10**30, True, False, None, [], {}, [{}], [[]], {"id": "1"}, ["a"], 1700000000,
]  # fmt: skip

anything = st.sampled_from(NEAR_MISSES) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def documents(draw):
    """Documents around the full one: up to three fields changed, left out or added."""
    document = deepcopy(FULL)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(paths(document))))
        how = draw(st.sampled_from(["replace", "remove", "add"]))
        if how == "remove" and path:
            document = removed(document, path)
        elif how == "add":
            wholes = [
                place for place in paths(document) if isinstance(found(document, place), dict)
            ]
            if wholes:
                place = draw(st.sampled_from(wholes))
                document = replaced(document, (*place, draw(st.text(max_size=9))), draw(anything))
        else:
            document = replaced(document, path, draw(anything))
        if not isinstance(document, (dict, list)):
            break
    return document


def found(document, path):
    for key in path:
        document = document[key]
    return document


def accepted(document):
    return not complaint_about(document)


def complaint_about(document):
    try:
        read_document(json.dumps(document))
    except DocumentError as error:
        return str(error)
    return ""


def breaks_a_stricter_rule(document):
    """Whether one of the rules in docs/order-document.md refuses what the schema accepts."""
    refs = [item["id"] for item in document["items"]]
    if int(re.sub("[A-Z]", "", document["number"])) == 0:
        return True
    return len(set(refs)) < len(refs) or any(
        _too_lax(path, found(document, path)) for path in paths(document)
    )


def _too_lax(path, value):
    if not isinstance(value, str):
        return False
    if path[-1] == "text":
        blank = "licenses" in path and not value.strip()
        return blank or "\x00" in value
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", value):
        return True
    if path[-1] == "email":
        try:
            validate_email(value, check_deliverability=False, globally_deliverable=False)
        except EmailNotValidError:
            return True
    if str(path[-1]).endswith("at"):
        return not 1970 < datetime.fromisoformat(value).year < 9999
    return False


def expected(document):
    return CONTRACT.is_valid(document) and not breaks_a_stricter_rule(document)


def test_the_schema_of_the_documentation_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert expected(FULL)
    assert accepted(FULL)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)) or "document")
def test_each_field_holds_what_the_schema_lets_it_hold(path):
    values = [value for value in NEAR_MISSES if value != float("inf")]
    for value in values:
        document = replaced(FULL, path, value)
        assert accepted(document) == expected(document), value
    if path:
        document = removed(FULL, path)
        assert accepted(document) == expected(document)


@given(documents())
def test_any_document_is_accepted_if_the_schema_and_the_stricter_rules_accept_it(document):
    assert accepted(document) == expected(document)


@given(st.text("aZ09_.+-", min_size=1, max_size=66), st.text("aZ09.-", min_size=1, max_size=80))
@example("kim", "example.com")
@example("a" * 64, "b" * 61 + ".de")
def test_the_usual_addresses_are_addresses_to_the_library_too(name, domain):
    if _USUAL_ADDRESS.fullmatch(f"{name}@{domain}.com"):
        validate_email(
            f"{name}@{domain}.com", check_deliverability=False, globally_deliverable=False
        )


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)) or "document")
def test_a_complaint_never_holds_the_value(path):
    for value in ["SECRETX\x00", "SECRETX " * 2000, ["SECRETX"], [{"text": ["SECRETX"]}]]:
        said = complaint_about(replaced(FULL, path, value))
        assert "SECRETX" not in said
        assert len(said.splitlines()) <= 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[]", "line: must be an object"),
        ("not json", "line: is not JSON: expected ident at column 2"),
        ('{"number": "A1"', "line: is not JSON: EOF while parsing an object at column 15"),
        ("[" * 100_000, "line: is not JSON: recursion limit exceeded at column 202"),
        (b'{"number": "\xff\xfe"}', "line: is not UTF-8 at column 13"),
        ('{"number": "\\ud800"}', "line: is not JSON: unexpected end of hex escape at column 19"),
    ],
)
def test_what_is_not_a_document_is_said_in_one_line(line, complaint):
    with pytest.raises(DocumentError) as refusal:
        read_document(line)
    assert str(refusal.value) == complaint


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"number": None}, "number: must be a text"),
        ({"number": "A000"}, "number: must not be 0"),
        ({"number": "5-5"}, "number: must be an order number such as A0005555555"),
        ({"total": "29,95"}, "total: must be an amount such as 29.95"),
        ({"currency": "Euro"},
         "currency: must be a currency of three capital letters, such as EUR"),
        ({"paid_at": None}, "paid_at: is required when the status is paid"),
        ({"created_at": "2026-02-30T10:00:00Z"}, "created_at: is a time that does not exist"),
        ({"external_id": "x" * 65}, "external_id: has more than 64 characters"),
        ({"items": []}, "items: needs at least 1"),
        ({"items": FULL["items"][:1] * 2}, "items: two of them have the same id"),
        ({"coupon": "x"}, "coupon: is not a field of the order document"),
        ({"a\nb\x1b[2J": 1}, r"'a\nb\x1b[2J': is not a field of the order document"),
        ({"k" * 99: 1}, f"{'k' * 40}…: is not a field of the order document"),
        ({"customer": {}}, "customer.email: is missing"),
        ({"history": [{"at": "2026-11-02T10:00:00Z", "text": "\x00"}]},
         "history.0.text: has a NUL character"),
    ],
)  # fmt: skip
def test_a_complaint_names_the_field_and_what_is_wrong_with_it(changes, complaint):
    with pytest.raises(DocumentError) as refusal:
        read_document(json.dumps(FULL | changes))
    assert str(refusal.value) == complaint


@pytest.mark.parametrize(
    ("part", "instead", "complaint"),
    [
        ('"locale"', '"total": "1.00", "locale"', "total: is there twice"),
        ('"phone"', '"email" :null,"phone"', "email: is there twice"),
        ('"text": "AAA-1"', '"text":"A","text":"B"', "text: is there twice"),
        ('"total"', '"total": [{}], "total"', "total: is there twice"),
    ],
)
def test_a_field_that_is_there_twice_is_refused(part, instead, complaint):
    line = json.dumps(FULL).replace(part, instead)
    for text in (line, line.encode()):
        with pytest.raises(DocumentError, match=f"^{complaint}$"):
            read_document(text)


@pytest.mark.parametrize("text", ['"a": 1', '{"text":"text"}', '\\":', '"\n:', '\\\\" :'])
def test_a_text_that_looks_like_a_field_is_none(text):
    document = FULL | {"history": [{"at": "2026-11-02T10:00:00Z", "text": text}]}
    assert read_document(json.dumps(document)).history[0].text == text
    assert read_document(json.dumps(document, indent=1).replace('r":', 'r" \n:')).number == NUMBER


def test_a_document_with_many_faults_names_the_first_ten():
    items = [{"id": str(ref)} for ref in range(500)]
    with pytest.raises(DocumentError, match=r"items\.0\.product: is missing.*; and 1490 more$"):
        read_document(json.dumps(FULL | {"items": items}))


@given(st.text(min_size=1, max_size=200).filter(lambda text: text.strip() and "\0" not in text))
def test_a_license_is_kept_to_the_letter_but_for_blanks_at_both_ends(text):
    items = [FULL["items"][0] | {"licenses": [{"text": f" \t{text}\r\n "}]}]
    document = read_document(json.dumps(FULL | {"items": items}))
    assert document.items[0].licenses[0].text == text.strip()
