"""Orders come in from a file: all of them, once, whatever else the file holds."""

import itertools
import json
import re
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from portal import clock
from portal.extensions import db
from portal.intake.jsonl import Import
from portal.intake.lines import LINE_BYTES, lines_of
from portal.models import (
    Delivery,
    DeliveryStatus,
    HistoryEntry,
    License,
    Order,
    What,
)
from tests.people import CODE, KIM, add_page, item_document, order_document
from tests.support.application import statements

SAMPLES = Path(__file__).parent.parent / "docs" / "samples"
REFUND = "2026-11-05T10:00:00+01:00"


@pytest.fixture
def brought_in(acme):
    """Import documents or raw lines: `brought_in(order_document())`; counts and complaints."""

    def bring_in(*lines):
        run = Import()
        raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        complaints = list(run.run(raw))
        return {str(word): count for word, count in run.counts.items()}, complaints

    return bring_in


def numbered(count, start=1, **changes):
    return [order_document(f"A{number:010}", **changes) for number in range(start, start + count)]


def saved(number="A0005555555"):
    db.session.expire_all()
    return db.session.get(Order, Order.id_of(number))


def codes(order):
    return [license.text for item in order.items for license in item.licenses]


def count(model):
    found = db.session.scalar(select(func.count()).select_from(model))
    db.session.commit()  # on SQLite, whoever is in a transaction keeps the processes out
    return found


def what_happened(order):
    return [entry.what for entry in order.history]


KNOWN = {
    "sqlite": "SELECT max(stat LIKE '60 %') FROM sqlite_stat1 WHERE tbl = 'orders'",
    "postgresql": "SELECT reltuples = 60 FROM pg_class WHERE relname = 'orders'",
}


def test_the_samples_come_in_and_the_database_plans_for_them(keydesk, app, database, brought_in):
    add_page("acme-store", "Acme Store")
    add_page("nordsoft", "Nordsoft")
    run = keydesk.run("orders", "import", SAMPLES / "orders.jsonl")
    assert (run.returncode, run.stdout, run.stderr) == (
        0, "60 imported, 0 updated, 0 unchanged, 0 rejected\n", "",
    )  # fmt: skip
    assert db.session.scalar(text(KNOWN[database.kind]))

    before = count(Order), count(License), count(HistoryEntry)
    assert brought_in(*(SAMPLES / "orders.jsonl").read_bytes().splitlines()) == (
        {"unchanged": 60}, [],
    )  # fmt: skip
    assert (count(Order), count(License), count(HistoryEntry)) == before


def test_bad_lines_are_reported_in_their_order_and_the_good_one_goes_in(keydesk, app):
    add_page("acme-store", "Acme Store")
    run = keydesk.run("orders", "import", SAMPLES / "orders-bad.jsonl")
    assert run.returncode == 1
    assert run.stdout == "1 imported, 0 updated, 0 unchanged, 5 rejected\n"
    fields = [line.removeprefix(f"{SAMPLES}/orders-bad.jsonl:") for line in run.stderr.splitlines()]
    assert fields == [
        "1: paid_at: is required when the status is paid",
        "2: checkout_page: there is no page no-such-page",
        "3: customer.email: has a line break or another control character",
        "4: status: must be 'not paid', 'paid', 'deleted' or 'terminated';"
        " created_at: must be a time with an offset, such as 2026-11-01T10:00:00+00:00;"
        " total: must be an amount such as 29.95; customer.email: is not an e-mail address;"
        " items: needs at least 1",
        "5: line: is not JSON: EOF while parsing a value at column 56",
    ]


def test_orders_come_from_standard_input_too(keydesk, acme):
    lines = "\n".join(json.dumps(document) for document in numbered(2))
    run = keydesk.run("orders", "import", "-", stdin=f"\ufeff{lines}\r\n\r\nx".encode())
    assert run.stdout == "2 imported, 0 updated, 0 unchanged, 1 rejected\n"
    assert run.stderr == "<stdin>:4: line: is not JSON: expected value at column 1\n"


@pytest.mark.parametrize(
    ("content", "imported"),
    [
        ("", 0),
        ("\n \r\n\n", 0),
        ("{one}", 1),
        ("{one}\r\n{two}\r\n", 2),
        ("\ufeff{one}\n{two}", 2),
    ],
    ids=["empty", "blank lines", "no end of line", "CRLF", "byte order mark"],
)
def test_files_of_other_systems_are_read(brought_in, tmp_path, content, imported):
    one, two = (json.dumps(document) for document in numbered(2))
    file = tmp_path / "orders.jsonl"
    file.write_bytes(content.replace("{one}", one).replace("{two}", two).encode())
    with file.open("rb") as lines:
        assert brought_in(*lines_of(lines)) == ({"imported": imported} if imported else {}, [])


def test_an_enormous_line_is_refused_without_being_read_whole(brought_in, tmp_path):
    first, last = numbered(2)
    file = tmp_path / "orders.jsonl"
    with file.open("wb") as out:
        out.write(json.dumps(first).encode() + b"\n")
        out.truncate(out.tell() + 5 * LINE_BYTES)
        out.seek(0, 2)
        out.write(b"\n" + json.dumps(last).encode())
    with file.open("rb") as opened:
        lines = list(lines_of(opened))
    assert max(map(len, lines)) == LINE_BYTES + 1
    counts, complaints = brought_in(*lines)
    assert counts == {"imported": 2, "rejected": 1}
    assert complaints == [(2, "line: is longer than 16 MiB")]


def test_complaints_of_all_kinds_come_in_the_order_of_the_lines(brought_in):
    unknown_page = order_document("A7", checkout_page="nowhere")
    _counts, complaints = brought_in(unknown_page, b"x", order_document(), unknown_page, b"y")
    assert [number for number, _complaint in complaints] == [1, 2, 4, 5]


@pytest.mark.parametrize(
    "bad",
    [
        order_document("A7", history=[{"at": REFUND, "text": "a\0b"}]),
        order_document("A7", codes=["a\0b"]),
        order_document("A7", customer={"first_name": "\0"}),
        b'{"number": "A7", "external_id": "\\ud800"}',
        b'{"number": "A7", "external_id": "\xff"}',
    ],
    ids=["NUL in history", "NUL in a license", "NUL in a name", "half a character", "not UTF-8"],
)
def test_text_that_a_database_cannot_hold_takes_no_other_line_with_it(brought_in, bad):
    counts, complaints = brought_in(*numbered(3, 100), bad, *numbered(3, 200))
    assert counts == {"imported": 6, "rejected": 1}
    assert [number for number, _complaint in complaints] == [4]


STOP = {
    "sqlite": [
        "CREATE TRIGGER stop BEFORE INSERT ON orders WHEN new.id = 7"
        " BEGIN SELECT RAISE(ABORT, 'no to kim@example.com'); END",
        "CREATE TRIGGER stop_change BEFORE UPDATE ON orders WHEN new.id = 8"
        " BEGIN SELECT RAISE(ABORT, 'no to kim@example.com'); END",
    ],
    "postgresql": [
        "ALTER TABLE orders ADD CONSTRAINT stop CHECK (id <> 7)",
        "ALTER TABLE orders ADD CONSTRAINT stop_change CHECK (id <> 8 OR locale = 'en')",
    ],
}


@pytest.fixture
def stopped(app, database):
    """A database that refuses the order 7, and any change of the order 8."""
    for statement in STOP[database.kind]:
        db.session.execute(text(statement))
    db.session.commit()
    yield
    db.session.rollback()
    if database.kind == "postgresql":
        for name in ("stop", "stop_change"):
            db.session.execute(text(f"ALTER TABLE orders DROP CONSTRAINT {name}"))
        db.session.commit()


def test_what_the_database_refuses_takes_no_other_line_with_it(brought_in, stopped, database):
    brought_in(order_document("A8"))
    changed = order_document("A8", locale="de")
    counts, complaints = brought_in(*numbered(6), order_document("A7"), changed, *numbered(40, 9))
    assert counts == {"imported": 46, "rejected": 2}
    error = "IntegrityError" if database.kind == "sqlite" else "CheckViolation"
    assert complaints == [
        (7, f"line: the database refused it ({error})"),
        (8, f"line: the database refused it ({error})"),
    ]


def test_the_statements_for_a_batch_do_not_grow_with_it(app, brought_in):
    with statements(app) as found:
        brought_in(*numbered(300, codes=["A", "B"]))
    assert len(found) <= 12


def test_that_an_order_has_not_changed_is_seen_whatever_its_items_are_called(app, brought_in):
    items = [item_document(id=id, product={"id": id, "name": f"VPN {id}"}) for id in "ba"]
    document = order_document(items=items)
    brought_in(document)
    with statements(app) as found:
        assert brought_in(document)[0] == {"unchanged": 1}
    assert not [one for one in found if "fulfilments" in one]


def test_importing_twice_changes_nothing(brought_in):
    document = order_document(
        codes=["A", "A", "a"], history=[{"at": REFUND, "text": "Order created"}] * 2
    )
    assert brought_in(document) == ({"imported": 1}, [])
    assert brought_in(document, document) == ({"unchanged": 2}, [])
    assert codes(saved()) == ["A", "A", "a"]
    assert len(saved().history) == 2


def test_deliveries_licenses_and_history_stay_when_an_order_is_updated(brought_in, order, license):
    delivery = license.resend(by=None, token="once")
    db.session.flush()
    delivery.finish(DeliveryStatus.SENT)
    db.session.commit()
    counts, _ = brought_in(order_document(codes=["NEW"], total="39.95", locale="de"))
    assert counts == {"updated": 1}
    assert codes(saved()) == [CODE, "NEW"]
    assert what_happened(saved()) == [What.EMAIL_SENT]
    assert [license.position for license in saved().deliveries[0].licenses] == [1]
    assert str(saved().total) == "39.95"


def test_licenses_that_differ_in_case_or_hyphens_only_are_different(brought_in):
    brought_in(order_document(codes=["abc-def"]))
    assert brought_in(order_document(codes=["abc-def", "ABCDEF", "ABC-DEF"]))[0] == {"updated": 1}
    assert codes(saved()) == ["abc-def", "ABCDEF", "ABC-DEF"]


def test_an_order_that_is_paid_later_gets_its_licenses_and_an_entry(brought_in):
    brought_in(order_document(status="not paid", paid_at=None, codes=[]))
    assert not saved().is_delivered
    assert brought_in(order_document())[0] == {"updated": 1}
    assert saved().is_delivered
    assert what_happened(saved()) == [What.ORDER_PAID]
    assert brought_in(order_document())[0] == {"unchanged": 1}


def test_a_refund_and_then_the_deletion_are_entries_once(brought_in):
    brought_in(order_document())
    refunded = order_document(items=[item_document(refunded_at=REFUND)])
    deleted = refunded | {"status": "deleted"}
    assert brought_in(refunded, refunded, deleted, deleted)[0] == {"updated": 2, "unchanged": 2}
    assert what_happened(saved()) == [What.ORDER_DELETED, What.ITEM_REFUNDED]


def test_a_deletion_without_time_of_payment_keeps_it(brought_in):
    brought_in(order_document())
    brought_in(order_document(status="deleted", paid_at=None))
    assert saved().paid_at is not None


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ({}, {"checkout_page": "nordsoft"},
         "checkout_page: the order belongs to another checkout page"),
        ({}, {"status": "not paid"}, "status: an order that is “paid” cannot become “not paid”"),
        ({"status": "deleted"}, {}, "status: an order that is “deleted” cannot become “paid”"),
        ({"items": [item_document(refunded_at=REFUND)]}, {},
         "items.0.refunded_at: the item was refunded already"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_whole(brought_in, nordsoft, before, after, complaint):
    brought_in(order_document(**before))
    entries = count(HistoryEntry)
    changes = {"total": "1.00", "history": [{"at": REFUND, "text": "x"}]} | after
    assert brought_in(order_document(codes=["B"], **changes)) == ({"rejected": 1}, [(1, complaint)])
    assert (str(saved().total), codes(saved()), count(HistoryEntry)) == ("29.95", [CODE], entries)


def test_erasure_takes_all_personal_data_and_it_does_not_come_back(brought_in, order, license):
    full = order_document(customer={"company": "Larsen & Co", "phone": "+49 30 1"})
    brought_in(full)
    delivery = saved().items[0].licenses[0].resend(by=None, token="once")
    db.session.flush()
    delivery.finish(DeliveryStatus.FAILED, failure="time_out", answer=f"550 {KIM} is unknown")
    db.session.commit()

    erased = full | {"customer": full["customer"] | {"email": None}}
    assert brought_in(erased, erased, full)[0] == {"updated": 1, "unchanged": 2}
    everything = [
        str(value)
        for table in (Order, HistoryEntry, Delivery)
        for row in db.session.execute(select(table.__table__))
        for value in row
    ]
    assert not re.search(r"kim|larsen|\+49", " ".join(everything), re.IGNORECASE)
    assert What.DATA_ERASED in what_happened(saved())
    assert "was not sent to deleted" in saved().history[-1].sentence


def test_erasure_leaves_the_address_of_the_vendor(brought_in, order):
    told = HistoryEntry(what=What.VENDOR_TOLD, at=order.created_at, to="vendor@acme.example")
    order.history.append(told)
    db.session.commit()
    brought_in(order_document(customer={"email": None}))
    assert saved().history[-1].sentence == "The vendor was told by e-mail at vendor@acme.example"


def test_an_order_that_comes_in_erased_holds_no_personal_data(brought_in):
    brought_in(order_document(customer={"email": None, "company": "Larsen & Co"}))
    assert (saved().email, saved().first_name, saved().company) == (None, None, None)
    assert saved().erased_at is not None
    assert "larsen" not in saved().search_text


licenses = st.text(min_size=1, max_size=60).filter(lambda code: code.strip() and "\0" not in code)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(licenses, min_size=1, max_size=40))
def test_licenses_come_out_to_the_letter(brought_in, given_codes):
    """Fault 5: codes that an import cleans."""
    known = [
        "%41<b>&amp;\"'\\",
        "0007",
        "a  b\tc",
        "A\r\nB\rC\nD",
        "🔑-🚀",
        "مفتاح-1",
        " x ",
        "é",
        "e\u0301",
    ]
    wanted = given_codes + known
    number = f"A{count(Order) + 1}"
    brought_in(order_document(number, codes=wanted))
    assert codes(saved(number)) == [code.strip() for code in wanted]
    assert brought_in(order_document(number, codes=wanted))[0] == {"unchanged": 1}


def test_licenses_and_names_of_many_orders_at_once_come_out_to_the_letter(brought_in):
    """PostgreSQL takes many rows by another way than a few, which has escapes of its own."""
    strange = ["\\N", "\\.", "a\tb", "a\\tb", "A\r\nB", "\\x41", "''", '"', "🔑", "%s ? :1", "é"]
    documents = [
        order_document(
            f"A{number}",
            codes=strange,
            items=[item_document(codes=strange, product={"id": "1", "name": name})],
            customer={"first_name": name, "company": name},
            history=[{"at": REFUND, "text": code} for code in strange],
        )
        for number, name in enumerate(["\\N", "\\.", "\\t", "''", '"', "%s ? :1", "é", ""] * 20, 1)
        if name
    ]
    assert brought_in(*documents)[0] == {"imported": len(documents)}
    for document in documents[:7]:
        order = saved(document["number"])
        assert codes(order) == strange
        assert order.first_name == order.company == document["customer"]["company"]
        assert order.items[0].product_name == order.company
        assert sorted(entry.text for entry in order.history) == sorted(strange)
    assert brought_in(*documents)[0] == {"unchanged": len(documents)}


@pytest.mark.settings(VAULT_KEYS=["LG4hPcAL2Bq2mHzVvY9xv1pJqVXOsjzzDZr8jt0OB1o="])
def test_an_order_with_unreadable_licenses_can_be_imported_again(brought_in, caplog):
    brought_in(order_document(codes=["A-1", "A-2"]))
    for license in saved().items[0].licenses:
        license.sealed = b"\0" * len(license.sealed)
    db.session.commit()
    assert brought_in(order_document(codes=["A-1", "A-2"]))[0] == {"unchanged": 1}
    assert "is unreadable" in caplog.text
    assert brought_in(order_document(codes=["A-1", "A-2", "A-3"]))[0] == {"updated": 1}
    assert codes(saved()) == [None, None, "A-3"]


def test_two_imports_of_one_file_lose_nothing(keydesk, acme, tmp_path):
    file, backwards = tmp_path / "orders.jsonl", tmp_path / "backwards.jsonl"
    lines = [json.dumps(document) for document in numbered(3000)]
    file.write_text("\n".join(lines))
    backwards.write_text("\n".join(reversed(lines)))
    db.session.commit()
    runs = [keydesk.start("orders", "import", name) for name in (file, backwards)]
    totals = [0, 0, 0, 0]
    for run in runs:
        stdout, stderr = run.communicate(timeout=60)
        assert (run.returncode, stderr) == (0, b"")
        found = [int(number) for number in re.findall(r"\d+", stdout.decode())]
        totals = [total + number for total, number in zip(totals, found, strict=True)]
    assert totals == [3000, 0, 3000, 0]
    assert (count(Order), count(License)) == (3000, 3000)


def test_an_import_that_was_killed_is_finished_by_the_next(keydesk, acme):
    lines = [json.dumps(document).encode() + b"\n" for document in numbered(2500)]
    db.session.commit()
    killed = keydesk.start("orders", "import", "-")
    killed.stdin.writelines(lines[:2400])  # the last batch is not complete, and never will be
    killed.stdin.flush()
    deadline = clock.now().timestamp() + 30
    while count(Order) < 1000:
        db.session.rollback()
        assert clock.now().timestamp() < deadline
    killed.kill()
    killed.communicate()
    db.session.rollback()
    before = count(Order)
    db.session.rollback()
    assert before in (1000, 2000)

    run = keydesk.run("orders", "import", "-", stdin=b"".join(lines))
    assert run.stdout == f"{2500 - before} imported, 0 updated, {before} unchanged, 0 rejected\n"
    assert (count(Order), count(License)) == (2500, 2500)


def test_a_license_is_sent_again_while_an_import_is_under_way(
    keydesk, signed_in, rob, license, mailbox
):
    underway = keydesk.start("orders", "import", "-")
    feeder = Thread(target=feed_without_end, args=[underway.stdin])
    feeder.start()
    try:
        deadline = clock.now().timestamp() + 30
        while count(Order) < 1000:
            assert clock.now().timestamp() < deadline
        answer = signed_in(rob).open("/orders/A0005555555").press("Resend").press("Send")
        assert underway.poll() is None
    finally:
        underway.kill()
        feeder.join()
        underway.communicate()
    assert f"was sent to {KIM}" in answer.part("order-history").text
    assert len(mailbox.messages) == 1


def feed_without_end(stdin):
    """Write one new order after the other, until nobody reads any more."""
    before, after = json.dumps(order_document("A#")).encode().split(b"#")
    with suppress(BrokenPipeError):
        for number in itertools.count(1):
            stdin.write(b"%s%d%s\n" % (before, number, after))


def test_a_failing_statement_does_not_show_what_it_was_given(app):
    with pytest.raises(DBAPIError) as failure:
        db.session.execute(text("SELECT :code FROM nowhere"), {"code": CODE})
    assert CODE not in str(failure.value)
    db.session.rollback()
