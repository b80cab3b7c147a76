"""What the search box understands, and what stays out of addresses."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.models.search_text import plain, plain_text, search_text
from portal.search.instead import instead_of
from portal.search.typed import Typed
from tests.people import CODE, NUMBER, bring_in, item_document, order_document
from tests.support.application import statements

SECOND = "KX2M4-77PQD-10ZZW-0042A"
AWKWARD = """50% off "Best_Deals" * O'Neil `x` \\o/ Ångström 🎉 שלום-עולם"""


@pytest.fixture
def rich(order):
    """The ordinary order among others that differ in all that can be searched for."""
    bring_in(
        order_document(
            "A0007777777",
            external_id="PO-2024-000123",
            customer={
                "email": "jürgen.groß@müller-söhne.example",
                "first_name": "Jürgen",
                "last_name": "Groß",
                "company": "Müller & Söhne GmbH",
            },
            items=[
                item_document(
                    codes=["1234567890123456"], product={"id": "9", "name": "Zeichenbrett Pro"}
                )
            ],
        )
    )
    bring_in(
        order_document(
            "B8888888",
            customer={"email": "lee@other.example", "company": AWKWARD},
            items=[item_document(codes=["line one\r\n  line 2\nEND ✂"])],
        )
    )


def found(page):
    """The numbers of the orders that a page shows: the one that it opened, or those of its list."""
    if page.address.startswith("/orders/"):
        return [page.address.removeprefix("/orders/")]
    return [row.parts("a")[0].text for row in page.parts("#results tbody tr")]


def search(browser, q, **filters):
    return browser.open("/orders", query_string={"q": q, **filters})


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("A0005555555", ["A0005555555"]),
        ("a0005555555", ["A0005555555"]),
        ("5555555", ["A0005555555"]),
        ("0005555555", ["A0005555555"]),
        (" \t A0005555555 ", ["A0005555555"]),
        ("\u202aA0005555555\u202c", ["A0005555555"]),
        ("B8888888", ["B8888888"]),
        ("Order A0005555555", ["A0005555555"]),
        ("order no. #5555555:", ["A0005555555"]),
        ("Kim Larsen <kim@example.com>", ["A0005555555"]),
        ("mailto:kim@example.com", ["A0005555555"]),
        ("From: Kim Larsen <kim@example.com>", ["A0005555555"]),
        ("kim@example.com.", ["A0005555555"]),
        ("“Kim Larsen” <kim@example.com>", ["A0005555555"]),
        ("'kim@example.com' <kim@example.com>", ["A0005555555"]),
        ("mailto:kim@example.com?subject=Key", ["A0005555555"]),
        ("Von: Kim L. <kim@example.com>", ["A0005555555"]),
        ("kim@example.com\t29.95", ["A0005555555"]),
        ("On Tue, Mar 10, 2026 at 11:00, Kim <kim@example.com> wrote:", ["A0005555555"]),
        ("E-mail: jürgen.groß@müller-söhne.example", ["A0007777777"]),
        ("５５５５５５５", ["A0005555555"]),
        ("Ａ０００５５５５５５５", ["A0005555555"]),
        ("O’Neil", ["B8888888"]),
        ("“Best_Deals”", ["B8888888"]),
        ("PO‑2024‑000123", ["A0007777777"]),
        (f"\ufeff{CODE}", ["A0005555555"]),
        (f"{CODE[:8]}\u200b{CODE[8:]}", ["A0005555555"]),
        (f"({CODE})", ["A0005555555"]),
        (f"Your key is {CODE}, thanks", ["A0005555555"]),
        (f"<{CODE[-6:]}>", ["A0005555555"]),
        ("Müller & Söhne GmbH.", ["A0007777777"]),
        ("Subject: Re: Your order A0005555555", ["A0005555555"]),
        ("[Ticket 4839201] Kim <kim@example.com>", ["A0005555555"]),
        ("To: shop@acme.example From: Kim Larsen <kim@example.com>", ["A0005555555"]),
        ("Your order A0005555555 from Acme", ["A0005555555"]),
        ("Bestellnummer A0005555555", ["A0005555555"]),
        ("No.5555555", ["A0005555555"]),
        ("№ 5555555", ["A0005555555"]),
        ("Bestellnr.A0005555555", ["A0005555555"]),
        ("Order_A0005555555", ["A0005555555"]),
        ("invoice_5555555.pdf", ["A0005555555"]),
        ("5555555.00", ["A0005555555"]),
        ("0005555555,0", ["A0005555555"]),
        ("N° 5555555", ["A0005555555"]),
        ("ORDER-5555555", ["A0005555555"]),
        ("A-0005555555", ["A0005555555"]),
        ("A 0005 555 555", ["A0005555555"]),
        ("5 555 555", ["A0005555555"]),
        ("5,555,555", ["A0005555555"]),
        ("5555555/8888888 and 1111111", ["A0005555555", "B8888888"]),
        ("https://desk.example/orders/A0005555555?x=1", ["A0005555555"]),
        ("5555556 mei", []),
        (f"my key is {CODE}", ["A0005555555"]),
        (f"{CODE}.", ["A0005555555"]),
        (f"…{CODE[-6:]}", ["A0005555555"]),
        (f"*{CODE[-6:]}", ["A0005555555"]),
        ("8888888 A0007777777", ["A0007777777", "B8888888"]),
        ("8888888,5555555", ["A0005555555", "B8888888"]),
        ("8888888;\r\n7777777\n5555555", ["A0005555555", "A0007777777", "B8888888"]),
        ("5555555, 1, 2", ["A0005555555"]),
        ("kim@example.com", ["A0005555555"]),
        ("KIM@EX", ["A0005555555"]),
        ("Larsen", ["A0005555555", "B8888888"]),
        ("Kim Larsen", ["A0005555555", "B8888888"]),
        ("larsen kim@", ["A0005555555"]),
        ("Larsen, Kim", ["A0005555555", "B8888888"]),
        ("Groß; Jürgen,", ["A0007777777"]),
        (", Kim", ["A0005555555", "B8888888"]),
        ("jurgen", ["A0007777777"]),
        ("JÜRGEN GROSS", ["A0007777777"]),
        ("Ju\u0308rgen", ["A0007777777"]),
        ("söhne", ["A0007777777"]),
        ("& so", ["A0007777777"]),
        ("po-2024-000123", ["A0007777777"]),
        ("000123", ["A0007777777"]),
        ("po-2025-000123", []),
        ("jurgen po-2024-000123", ["A0007777777"]),
        ("kim po-2024-000123", []),
        ("zeichenbrett", ["A0007777777"]),
        (CODE, ["A0005555555"]),
        (CODE.lower().replace("-", " "), ["A0005555555"]),
        (CODE[-6:], ["A0005555555"]),
        ("0-0 18m", []),
        ("400018m", []),
        ("z0018m", ["A0005555555"]),
        ("1234567890123456", ["A0007777777"]),
        ("1234 5678 9012 3456", ["A0007777777"]),
        ("123456", ["A0007777777"]),
        ("line one\r\n  line 2\nEND ✂", ["B8888888"]),
        ("zz", []),
        ("le", ["B8888888"]),
        ("x", []),
        ("%", []),
        ("50%", ["B8888888"]),
        ("_", []),
        ("t_d", ["B8888888"]),
        ("*", ["B8888888"]),
        ('"', []),
        ('"best', ["B8888888"]),
        ("'", []),
        ("o'n", ["B8888888"]),
        ("`x`", ["B8888888"]),
        ("\\", []),
        ("\\o/", ["B8888888"]),
        ("angstrom", ["B8888888"]),
        ("🎉", ["B8888888"]),
        ("🎊", []),
        ("שלום", ["B8888888"]),
        ("\u200fשלום\u200f", ["B8888888"]),
        ("%%%", []),
        ("___", []),
        ('" OR "', []),
        ("kim\0", ["A0005555555", "B8888888"]),
        ("\0", ["A0005555555", "A0007777777", "B8888888"]),
        (",;", []),
        ("x" * 12_000, []),
        ("ab " * 3_999, []),
        (" ".join(str(n) for n in range(1000)), []),
    ],
)
def test_what_the_search_box_understands(signed_in, ada, typed, numbers):
    page = search(signed_in(ada), typed)
    assert page.status == 200
    assert sorted(found(page)) == numbers


@pytest.mark.parametrize(
    "typed",
    ["YILMAZ", "Yılmaz", "sorensen lukaszewski", "Sørensen & Łuk", "Aethelred", "ÆTHEL", "yil lu"],
)
def test_letters_that_unicode_does_not_take_apart_are_found(signed_in, ada, acme, typed):
    bring_in(order_document("A0000000001", customer={"email": "an@example.com"}))
    names = {"first_name": "Æthelred", "last_name": "Yılmaz", "company": "Sørensen & Łukaszewski"}
    bring_in(order_document(customer={"email": "kim@example.com"} | names))
    assert found(search(signed_in(ada), typed)) == [NUMBER]


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("8888888 5555555", ""),
        ("8888888 A0000000012 5555555, 3", "Not found: 12, 3."),
        ("5555555, 1, 2", "Not found: 1, 2."),
        ("5555555", ""),
        (
            " ".join(map(str, [5555555, *range(1, 24)])),
            f"Not found: {', '.join(map(str, range(1, 21)))} and 3 more.",
        ),
    ],
)
def test_numbers_that_no_order_has_are_named(signed_in, ada, typed, said):
    page = search(signed_in(ada), typed)
    statuses = " ".join(part.text for part in page.parts("[role=status], [data-say]"))
    assert said in statuses
    assert ("Not found" in statuses) == bool(said)


@pytest.mark.usefixtures("rich")
def test_numbers_that_the_filters_leave_out_are_said_to_be_so(signed_in, ada):
    bring_in(
        order_document("A0009", status="not paid", paid_at=None, items=[item_document(codes=[])])
    )
    page = search(signed_in(ada), "5555555 9 3", status="paid")
    statuses = " ".join(part.text for part in page.parts("[role=status], [data-say]"))
    assert "Not found with these filters: 9, 3." in statuses


def test_an_order_that_a_filter_leaves_out_is_not_found(signed_in, ada, rich):
    page = search(signed_in(ada), "5555555 8888888 7777777", created_from="2026-11-02", page="acme")
    assert "Not found" not in page.text
    page = search(signed_in(ada), "5555555 8888888", status="deleted")
    assert "No order fits" in page.text


def test_of_more_numbers_than_a_page_holds_the_missing_are_counted(signed_in, ada, acme):
    for number in range(1, 53):
        bring_in(order_document(f"A{number:010}"))
    page = search(signed_in(ada), " ".join(map(str, range(1, 56))))
    assert "52 orders. Not found: 3 of 55 numbers." in page.part("results").text
    page = search(signed_in(ada), " ".join(map(str, range(1, 53))))
    assert "Not found" not in page.text


@pytest.mark.parametrize(
    "typed",
    ["+49 30 5555555", "030 5555555", "(030) 555 55 55", "0170/5555555", "07700-900123"],
)
def test_a_phone_number_is_no_license_and_no_order(signed_in, ada, order, typed):
    page = signed_in(ada).open("/orders").fill("Search orders", typed).press("Find")
    assert "Phone numbers are not searched" in page.part("nothing").text


@pytest.mark.parametrize("typed", ["0005 555 555", "0 5555555", "0005555555 1", "05555555"])
def test_a_number_with_zeros_is_no_phone_number(signed_in, ada, order, typed):
    assert found(search(signed_in(ada), typed)) == [order.number]


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ("le", "e-mail"),
        ("8888888 5555555", "number"),
        ("sentinel antivirus", "product"),
        ("example larsen", "e-mail, name"),
        ("line one line 2 end ✂", None),
    ],
)
def test_results_say_by_what_they_matched(signed_in, ada, typed, where):
    bring_in(
        order_document(
            "A0009", customer={"email": "lee@x.example"}, items=[item_document(codes=["OTHER1"])]
        )
    )
    page = search(signed_in(ada), typed)
    if where:
        assert f"matched: {where}" in page.part("results").text


ascii_text = st.text(st.characters(codec="ascii"), max_size=20)


@given(text=ascii_text, typed=ascii_text)
@example(text="Kim  Larsen-Holm", typed="la -holm")
@example(text="a_b@c", typed="_b@")
def test_what_is_typed_in_ascii_matches_as_the_search_text_does(text, typed):
    for word in Typed(typed).words:
        assert (plain(word) in plain_text(text)) == (word in search_text([text]))


def test_orders_with_one_license_say_so_and_hide_it(signed_in, ada, order):
    bring_in(order_document("A0009"))
    page = search(signed_in(ada), CODE)
    assert found(page) == [NUMBER, "A0009"] or found(page) == ["A0009", NUMBER]
    assert "matched: license" in page.part("results").text
    assert CODE not in page.address
    assert CODE not in page.html


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        CODE[:-1] + "X",
        CODE.replace("-", " ")[:-1] + "X",
        "kim " + CODE,
        "1234567890123456",
        "1234 5678 9012 3456",
        "9234567890123456",
        "ABCDE-FGHIJ-KLMNO",
        "line one\r\n  line 2\nEND ✂",
        "y" * 12_000,
        f"“{CODE}”",
        f"key: {CODE}",
    ],
)
@pytest.mark.parametrize("way", ["htmx", "plain"])
def test_a_license_that_is_typed_stays_in_no_address(signed_in, ada, typed, way):
    bring_in(order_document("A0009"))
    browser = signed_in(ada)
    if way == "htmx":
        page = browser.open("/orders").fill("Search orders", typed).press("Find")
    else:
        page = search(browser, typed)
    assert page.status == 200
    assert "q=" not in page.address
    assert browser.open(page.address).address == page.address


def test_what_may_be_a_mistyped_license_stays_in_the_box_to_be_mended(signed_in, ada, order):
    typed = "EXT-2026-000123"
    page = signed_in(ada).open("/orders").fill("Search orders", typed).press("Find")
    assert page.part("q").attributes["value"] == typed
    assert "If it is a license, try its last six characters." in page.part("nothing").text
    assert "Try a shorter part" in page.part("nothing").text
    assert typed not in page.part("results").text
    assert "may be a license" in signed_in(ada).open(page.address).part("nothing").text


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("typed", ["hana.jensen.66", "maria.gonzalez1985", "jean-luc.roy_2024"])
def test_a_part_of_an_address_is_no_license(signed_in, ada, typed):
    page = search(signed_in(ada), typed)
    assert page.part("q").attributes["value"] == typed
    assert "license" not in page.part("nothing").text


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize(("typed", "is_short"), [("qq", True), ("kimm q", True), ("qqq", False)])
def test_of_short_words_the_page_says_where_they_are_found(signed_in, ada, typed, is_short):
    text = search(signed_in(ada), typed).part("nothing").text
    assert ("only found where a word begins" in text) == is_short
    assert "Try a shorter part" in text


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize(
    "typed",
    [
        f'"{CODE}"',
        f"'{CODE}'",
        f"„{CODE}“",
        f"« {CODE} »",
        f"`{CODE}`",
        f"key: {CODE}",
        f"License={CODE.lower()}",
        f"Your activation code:“{CODE}”",
        f"“Schlüssel: {CODE}”",
    ],
)
def test_a_license_is_found_in_quotes_and_after_what_it_is_called(signed_in, ada, typed):
    page = search(signed_in(ada), typed)
    assert found(page) == [NUMBER]
    assert CODE not in page.address


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("code", ['"quoted"-4711', "serial: 12-34-56 = x", "'7-7-7-7-7'"])
def test_quotes_and_names_may_belong_to_a_license(signed_in, ada, code):
    bring_in(order_document("A0009", items=[item_document(codes=[code])]))
    assert found(search(signed_in(ada), code)) == ["A0009"]


def test_the_last_six_of_a_license_are_found_in_quotes(signed_in, ada, order):
    assert found(search(signed_in(ada), f"“{CODE[-6:]}”")) == [NUMBER]


@pytest.mark.usefixtures("order")
def test_a_long_license_is_not_looked_for_by_its_words(signed_in, ada, app):
    code = " ".join(f"word-{number}" for number in range(40))
    bring_in(order_document("A0009", items=[item_document(codes=[code])]))
    with statements(app) as ran:
        assert found(search(signed_in(ada), code)) == ["A0009"]
    assert not [one for one in ran if "order_search" in one or "search_text" in one]


@pytest.mark.usefixtures("order")
def test_a_license_that_others_have_as_a_name_leads_to_its_order_alone(signed_in, ada):
    bring_in(order_document("A0009", customer={"email": "lee@x.example", "company": CODE}))
    bring_in(order_document("A0010", items=[item_document(codes=["OTHER1"])]))
    page = search(signed_in(ada), CODE)
    assert "license=" in page.address
    assert CODE not in page.address


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("between", [" ", ", ", "\n", "; ", " and "])
def test_two_licenses_find_both_of_their_orders(signed_in, ada, between):
    bring_in(order_document("A0009", items=[item_document(codes=[SECOND])]))
    bring_in(order_document("A0010", items=[item_document(codes=["OTHER1"])]))
    page = search(signed_in(ada), f"{CODE}{between}{SECOND}")
    assert found(page) == [NUMBER, "A0009"]
    assert CODE not in page.address
    assert SECOND not in page.address
    assert "with one of the licenses that you entered" in page.text
    assert "matched: license" in page.part("results").text


@pytest.mark.usefixtures("order")
def test_a_filter_is_asked_together_with_the_license(signed_in, ada):
    bring_in(order_document("A0009", created_at="2026-11-04T10:00:00+01:00"))
    bring_in(order_document("A0010", items=[item_document(codes=["OTHER1"])]))
    page = search(signed_in(ada), CODE)
    assert found(page) == ["A0009", NUMBER]
    page = page.fill("Created from", "2026-11-04").press("Find")
    assert found(page) == ["A0009"]


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize(
    "typed", ["d'arc", "D’Arc", "anne-marie", "Anne‐Marie", "Anne‑Marie d’Arc"]
)
def test_signs_are_found_however_they_were_written(signed_in, ada, typed):
    bring_in(
        order_document("A0009", customer={"email": "a@x.example", "company": "Anne–Marie d’Arc"})
    )
    assert found(search(signed_in(ada), typed)) == ["A0009"]


@pytest.mark.parametrize(
    ("typed", "addresses"),
    [
        ("Kim <kim.larsen+shop@example.com>, hello", ["kim.larsen+shop@example.com"]),
        ("+kim@example.com;lee@example.com", ["+kim@example.com", "lee@example.com"]),
        (" ".join(f"{letter}@x.example" for letter in "abcde"), [f"{a}@x.example" for a in "abc"]),
        ("kim@example.com", []),
        ("kim@example", []),
        ("a" * 11_000 + "@", []),
        ("a.b-" * 3_000, []),
    ],
    ids=["in brackets", "two", "many", "alone", "unfinished", "long", "long with hyphens"],
)
def test_addresses_are_seen_among_other_words(typed, addresses):
    assert instead_of(Typed(typed)) == addresses


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize(
    "typed",
    [
        "Mr. Öztürk",
        "Mrs Ayşe Öztürk",
        "Frau Oeztuerk",
        "A. Öztürk",
        "Order EXT-555",
        "Ticket #4839201: Ayşe Öztürk",
        "Ayşe Öztürk never got my key!",
        "please resend Öztürk",
        "license ZZ99QQ",
    ],
)
def test_names_and_codes_are_found_with_what_stands_beside_them(signed_in, ada, typed):
    customer = {"email": "a@x.example", "first_name": "Ayşe", "last_name": "Öztürk"}
    bring_in(order_document("A0009", external_id="EXT-555", customer=customer, codes=["AB-ZZ99QQ"]))
    page = search(signed_in(ada), typed)
    assert found(page) == ["A0009"]
    assert "Nothing fits all that was typed. This fits “" in page.text


@pytest.mark.usefixtures("order")
def test_of_two_addresses_the_one_that_is_looked_for_is_said(signed_in, ada):
    bring_in(order_document("A0009", customer={"email": "lee@x.example"}))
    page = search(signed_in(ada), "lee@x.example, kim@example.com")
    assert found(page) == ["A0009"]
    assert "This fits “lee@x.example”." in page.text


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Müller", "Mueller"),
        ("Mueller", "Müller"),
        ("Müller-Lüdenscheidt", "MUELLER-LUEDENSCHEIDT"),
        ("Jørgensen", "Joergensen"),
        ("Joergensen", "Jørgensen"),
        ("Århus", "Aarhus"),
        ("Müller", "müller"),
        ("Müller & Söhne, Köln", "Mueller & Soehne"),
        ("Samuel", "Samuel"),
    ],
)
def test_a_name_is_found_as_others_write_it(signed_in, ada, name, typed):
    bring_in(order_document("A0009", customer={"email": "a@x.example", "last_name": name}))
    page = search(signed_in(ada), typed)
    assert found(page) == ["A0009"]
    assert page.address == "/orders/A0009"


@pytest.mark.usefixtures("order")
def test_of_two_licenses_an_agent_finds_their_own(signed_in, ida):
    details = {"items": [item_document(codes=[SECOND])], "checkout_page": "nordsoft"}
    bring_in(order_document("B0009", **details))
    assert found(search(signed_in(ida), f"{CODE} {SECOND}")) == ["B0009"]


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("end", ["AB12-3456", "X-Y-Z123", "12-3-456"])
def test_the_last_six_are_found_with_the_hyphens_among_them(signed_in, ada, end):
    bring_in(order_document("A0009", items=[item_document(codes=[f"QW7E-{end}"])]))
    assert found(search(signed_in(ada), end[-6:])) == ["A0009"]


@pytest.mark.usefixtures("order")
def test_a_name_that_is_a_license_of_another_page_is_a_name(signed_in, ida):
    customer = {"email": "lee@x.example", "company": CODE}
    items = [item_document(codes=["OTHER1"])]
    for number in ("B0009", "B0010"):
        details = {"customer": customer, "items": items, "checkout_page": "nordsoft"}
        bring_in(order_document(number, **details))
    page = search(signed_in(ida), CODE)
    assert found(page) == ["B0010", "B0009"]
    assert "matched: company" in page.part("results").text


def test_a_number_that_is_a_license_elsewhere_is_still_a_number(signed_in, ada, order):
    bring_in(order_document("A0009", items=[item_document(codes=["5555555"])]))
    page = search(signed_in(ada), "5555555")
    assert sorted(found(page)) == [NUMBER, "A0009"]


@pytest.mark.usefixtures("rich", "ida")
@pytest.mark.parametrize("typed", ["5555555", "kim@example", CODE, CODE[-7:], "sentinel", "", "1"])
def test_an_agent_finds_and_counts_nothing_of_other_pages(signed_in, ida, typed):
    page = search(signed_in(ida), typed)
    assert found(page) == []
    assert NUMBER not in page.html


def test_the_address_of_a_license_is_for_those_who_see_its_order(signed_in, app, rob, ida, order):
    bring_in(order_document("A0009"))
    address = search(signed_in(rob), CODE).address
    assert "license=" in address
    assert len(found(signed_in(rob).open(address))) == 2
    assert found(signed_in(ida).open(address)) == []
    assert "No order fits" in signed_in(ida).open(address).text


@pytest.mark.parametrize("role", ["ada", "rob"])
@pytest.mark.parametrize("typed", ["", "kim", "5555555 9", "nothing like it", "lars"])
@pytest.mark.usefixtures("order")
def test_a_list_takes_four_statements_at_most(signed_in, app, request, role, typed):
    browser = signed_in(request.getfixturevalue(role))
    bring_in(order_document("A0009"))
    with statements(app) as ran:
        search(browser, typed)
    assert len([one for one in ran if not one.startswith("BEGIN")]) <= 4, ran


@pytest.mark.parametrize("role", ["ada", "rob"])
@pytest.mark.parametrize(
    "typed",
    [
        "A0009999999",
        "Mrs Nobody, ticket 4839201",
        "a@x.example b@x.example c@x.example and 4839201",
        "Mrs Mueller-Nobody 48 39 201",
        "AV7K2-9QXPL-44RTZ-0018N",
        "Good day, I never got my key. " * 10 + "Order 4839201, nobody@x.example",
        "!" * 300,
    ],
)
@pytest.mark.usefixtures("order")
def test_what_finds_nothing_takes_four_statements_at_most(signed_in, app, request, role, typed):
    page = signed_in(request.getfixturevalue(role)).open("/orders").fill("Search orders", typed)
    with statements(app) as ran:
        page = page.press("Find")
    assert "No order fits" in page.text
    assert len([one for one in ran if not one.startswith("BEGIN")]) <= 4, ran


@pytest.mark.usefixtures("order")
def test_a_long_mail_leads_to_the_order_that_it_is_about(signed_in, ada):
    mail = "Good day, I never got my key. " * 10 + "Regards, Kim Larsen <kim@example.com>"
    page = signed_in(ada).open("/orders").fill("Search orders", mail).press("Find")
    assert found(page) == [NUMBER]
    assert "This fits “kim@example.com”." in page.text


@pytest.mark.parametrize("role", ["ada", "rob"])
def test_a_license_is_in_no_address_whatever_page_was_chosen(signed_in, request, role, acme):
    bring_in(order_document(codes=["HELLO WORLD KEY"]))
    browser = signed_in(request.getfixturevalue(role))
    token = browser.open("/orders").parts("input[name=csrf_token]")[0].attributes["value"]
    asked = {"q": "HELLO WORLD KEY", "page": "nordsoft", "csrf_token": token}
    page = browser.open("/searches", method="POST", data=asked, headers={"HX-Request": "true"})
    assert page.status == 200
    assert "HELLO" not in page.address
    assert "HELLO" not in page.response.headers.get("HX-Push-Url", "")
