"""A file is explained before anything of it can be used, and goes in as a whole, to the letter."""

import codecs
import os
import secrets
from datetime import timedelta
from io import BytesIO

import pytest

from portal import clock, jobs
from portal.extensions import db
from portal.models import (
    Change,
    Fulfilment,
    License,
    Pool,
    PoolLicense,
    PoolUpload,
    Refused,
    UploadState,
)
from portal.models.fulfilment import FulfilmentState
from portal.pools import uploads
from portal.pools.findings import Findings, Kind, is_damaged, warnings_of
from portal.pools.reading import FileError, Shape, texts_of
from portal.pools.staging import Staging
from portal.vault import vault
from tests.pools import file_of, paid, put_in, texts, upload_of
from tests.test_processes import named


def read(content, **shape):
    with file_of(content) as file:
        return list(texts_of(file, Shape(**shape)))


def found(upload):
    return dict(Findings.load(upload.report).counts)


def opened(upload):
    rows = db.session.scalars(
        db.select(PoolLicense).filter_by(upload_id=upload.id).order_by(PoolLicense.position)
    )
    return [vault().open(row.sealed, PoolLicense.place(upload.id, row.position)) for row in rows]


# Reading


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("é-1\nß-2", None),
        (codecs.BOM_UTF8 + "é-1\nß-2".encode(), None),
        ("é-1\nß-2".encode("utf-16"), None),
        (codecs.BOM_UTF16_BE + "é-1\nß-2".encode("utf-16-be"), None),
        ("é-1\nß-2".encode("utf-32"), None),
        ("é-1\nß-2".encode("latin-1"), "latin-1"),
        (codecs.BOM_UTF8 + "é-1\nß-2".encode(), "utf-8"),
        ("é-1\r\nß-2\r\n", None),
        ("é-1\rß-2\r", None),
    ],
)
def test_a_file_is_read_whatever_it_was_written_with(app, content, encoding):
    assert read(content, encoding=encoding) == [(1, "é-1"), (2, "ß-2")]


def test_a_text_is_to_the_letter_but_for_the_blanks_at_its_ends(app):
    text = "  00%41&amp;<b>\"'  \\ two  blanks 0042\t\n"
    assert read(text) == [(1, text.strip())]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"A-1\nA-2\n\xe9\n", "Line 3: is not UTF-8"),
        (b"A-1\n" * 5000 + b"caf\xe9", "Line 5001: is not UTF-8"),
        ("A-1\nA-2\n".encode("utf-16-le"), "Line 1: has a NUL"),
        (b"\xff\xfeA\x00\n\x00\x00\xd8", "Line 2: is not UTF-16"),
        ("A-1\n" + "x" * 10_001, "Line 2: is longer than 10000"),
        ("A-1\n" + "x" * 70_000, "Line 2: is longer than 65536"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(app, content, words):
    with pytest.raises(FileError, match=words):
        read(content)


def test_several_lines_between_separators_are_one_license(app):
    content = "-- A\r\n  one\r\n--- \n\nB\n\ntwo\n---\n---\nC\n"
    assert read(content, separator="---") == [
        (1, "-- A\r\n  one"),
        (4, "B\n\ntwo"),
        (9, ""),
        (10, "C"),
    ]


def test_a_separator_that_never_comes_does_not_fill_the_memory(app):
    with pytest.raises(FileError, match="begins a license of more than"):
        read("A-1\n" * 20_000, separator="---")


CSV = 'name;Key\nx;A-1\n"a;b";"B-1\nB-2"\n\ny\nz; 0012 \n'


@pytest.mark.parametrize("column", ["Key", "2"])
def test_a_column_of_a_csv_file(app, column):
    assert read(CSV, column=column) == [(2, "A-1"), (3, "B-1\nB-2"), (5, ""), (6, ""), (7, "0012")]


def test_a_csv_file_without_names(app):
    assert read("A-1,x\nA-2,y\n", column="1", has_header=False) == [(1, "A-1"), (2, "A-2")]


@pytest.mark.parametrize(
    ("content", "column", "words"),
    [
        ("a,b\n", "c", "Line 1: names no column “c”"),
        ("a,b\n", "0", "Line 1: names no column “0”"),
        ('a,b\n1,2\n"x"y,3\n', "a", "Line 3: is not CSV"),
    ],
)
def test_what_is_not_the_csv_that_was_meant(app, content, column, words):
    with pytest.raises(FileError, match=words):
        read(content, column=column)


# What there is to say


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("AV7K2-9QXPL", []),
        ("two  blanks", []),
        ("B-1\r\nB-2", []),
        ("ключ-é-鍵", []),
        ("A\u200b1", [Kind.INVISIBLE]),
        ("A\xa01", [Kind.INVISIBLE]),
        ("A\ufeff", [Kind.INVISIBLE]),
        ("A\x071", [Kind.INVISIBLE]),
        ("Jan-04", [Kind.DOUBTFUL]),
        ("4-Mar", [Kind.DOUBTFUL]),
        ("01/04/2026", [Kind.DOUBTFUL]),
        ("2026-01-04 00:00:00", [Kind.DOUBTFUL]),
        ('=HYPERLINK("x")', [Kind.DOUBTFUL]),
        ("Jan-04-XYZ", []),
        ("1234-5678", []),
    ],
)
def test_what_somebody_should_look_at(text, kinds):
    assert warnings_of(text) == kinds
    assert not is_damaged(text)


@pytest.mark.parametrize("text", ["1.23E+15", "1,23E+15", "-5E+09", "#NAME?", "#N/A", "#####"])
def test_what_a_spreadsheet_has_spoilt(text):
    assert is_damaged(text)


@pytest.mark.parametrize("text", ["1.23E+15-X", "5E10", "#1", "##", "#NAME"])
def test_what_only_looks_a_little_like_it(text):
    assert not is_damaged(text)


def test_all_that_is_found_is_counted_with_its_lines(pool, acme, order, mailbox):
    other = Pool.add("Other", by=None)
    put_in(other, "OTHER-1\n")
    put_in(pool, "USED-1\nFREE-1\n")
    jobs.fulfil(paid(pool, "A0000000007").id)
    code = order.items[0].licenses[0].text
    lines = ["NEW-1", "", "NEW-2", "NEW-1", "FREE-1", "USED-1", code, "OTHER-1", "#NAME?"]
    upload = upload_of(pool, "\n".join([*lines, "Jan-04", "Z\u200b1", code.lower()]))
    assert found(upload) == {
        Kind.NEW: 5,
        Kind.BLANK: 1,
        Kind.DUPLICATE: 1,
        Kind.IN_POOL: 1,
        Kind.SOLD: 2,
        Kind.IN_OTHER_POOL: 1,
        Kind.DAMAGED: 1,
        Kind.DOUBTFUL: 1,
        Kind.INVISIBLE: 1,
    }
    findings = Findings.load(upload.report)
    assert findings.lines[Kind.SOLD] == [6, 7]
    assert findings.lines[Kind.NEW] == [1, 3, 10, 11, 12]
    assert opened(upload) == ["NEW-1", "NEW-2", "Jan-04", "Z\u200b1", code.lower()]
    assert all(kind.sentence for kind in Kind)


def test_a_look_alone_writes_nothing(pool):
    db.session.commit()
    with file_of("A-1\nA-1\nA-2") as file:
        findings = Staging(pool.id).run(file, Shape(), lambda _read: None)
    assert dict(findings.counts) == {Kind.NEW: 2, Kind.DUPLICATE: 1}
    assert db.session.scalars(db.select(PoolLicense)).all() == []
    assert db.session.scalars(db.select(PoolUpload)).all() == []


# In and out


def test_nothing_can_be_used_before_it_is_confirmed(pool, acme, mailbox):
    upload = upload_of(pool, "A-1\nA-2\n")
    fulfilment = paid(pool)
    jobs.fulfil(fulfilment.id)
    assert (pool.stock, fulfilment.state) == (0, FulfilmentState.WAITING)

    assert uploads.publish(upload, by=None) == [fulfilment.id]
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == ["A-1"]
    assert pool.stock == 1
    with pytest.raises(Refused, match="upload_not_read"):
        uploads.publish(upload, by=None)


def test_the_change_is_noted(pool, ada):
    upload = upload_of(pool, "A-1\nA-2\n")
    uploads.publish(upload, by=ada)
    uploads.take_back(upload, by=ada)
    back, put = Change.of(pool)[:2]
    assert (put.field, put.after, put.by) == ("upload", "keys.txt (2)", ada)
    assert (back.before, back.after) == ("keys.txt (2)", None)


def test_a_license_comes_out_of_a_pool_as_it_went_in(pool, acme, mailbox):
    code = "00%41 &amp; <b>  \"q\" 'x' \\0"
    put_in(pool, f"  {code}\t\r\n")
    fulfilment = paid(pool)
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == [code]


def test_an_unused_upload_is_taken_back_whole(pool):
    upload, _due = put_in(pool, "A-1\nA-2\n")
    uploads.take_back(upload, by=None)
    assert pool.stock == 0
    assert opened(upload) == []
    again, _due = put_in(pool, "A-1\nA-2\n")
    assert pool.stock == again.size == 2


def test_an_upload_that_was_used_stays(pool, acme, mailbox):
    upload, _due = put_in(pool, "A-1\nA-2\n")
    jobs.fulfil(paid(pool).id)
    with pytest.raises(Refused, match="upload_used"):
        uploads.take_back(upload, by=None)
    db.session.rollback()
    assert pool.stock == 1


def test_one_upload_to_a_pool_at_a_time(pool):
    first = upload_of(pool, "A-1\n")
    with pytest.raises(Refused, match="upload_pending"):
        uploads.begin(pool, "more.txt", by=None)
    uploads.discard(first)
    second = upload_of(pool, "A-1\n")
    assert second.size == 1


def test_what_was_broken_off_leaves_nothing_usable_and_stands_in_nobodys_way(pool):
    broken = uploads.begin(pool, "keys.txt", by=None)
    with file_of("A-1\nA-2\n") as file:
        Staging(pool.id, broken.id).run(file, Shape(), lambda _read: None)
    broken.reader = named(os.getpid())  # of a former life of this process
    db.session.commit()
    assert len(opened(broken)) == 2
    assert pool.stock == 0

    upload, _due = put_in(pool, "A-1\nA-2\n")
    assert broken.state is UploadState.DISCARDED
    assert opened(broken) == []
    assert pool.stock == upload.size == 2


def test_what_nobody_confirms_is_forgotten_after_a_day(pool):
    upload = upload_of(pool, "A-1\n")
    uploads.tend()
    assert upload.state is UploadState.READ
    upload.at = clock.now() - timedelta(days=1, minutes=1)
    db.session.commit()
    uploads.tend()
    assert upload.state is UploadState.DISCARDED
    assert opened(upload) == []


def test_a_bad_file_is_discarded_and_says_why(pool):
    upload = upload_of(pool, b"A-1\n" * 3 + b"\xe9")
    assert upload.state is UploadState.DISCARDED
    assert upload.complaint.startswith("Line 4: is not UTF-8")
    assert "A-1" not in upload.complaint


def test_an_upload_that_is_discarded_while_it_is_read_stops(pool):
    upload = uploads.begin(pool, "keys.txt", by=None)
    uploads.discard(upload)
    with file_of("A-1\n") as file:
        uploads.read(upload.id, file, Shape())
    assert upload.state is UploadState.DISCARDED
    assert opened(upload) == []


def test_an_upload_with_nothing_new_is_not_confirmed(pool):
    upload = upload_of(pool, "\n\n")
    with pytest.raises(Refused, match="upload_empty"):
        uploads.publish(upload, by=None)


# For each state, why the upload cannot be published, discarded and taken back.
REFUSALS = {
    UploadState.READING: ("upload_not_read", None, "upload_not_published"),
    UploadState.READ: (None, None, "upload_not_published"),
    UploadState.PUBLISHED: ("upload_not_read", "upload_not_read", None),
    UploadState.TAKEN_BACK: ("upload_not_read", "upload_not_read", "upload_not_published"),
    UploadState.DISCARDED: ("upload_not_read", "upload_not_read", "upload_not_published"),
}


@pytest.mark.parametrize("state", UploadState)
def test_an_upload_says_what_can_be_done_with_it(pool, state):
    upload = upload_of(pool, "A-1\n")
    upload.state, upload.free = state, 1
    rules = (upload.publish_refusal, upload.discard_refusal, upload.take_back_refusal)
    found = tuple((refusal := rule()) and refusal.word for rule in rules)
    assert found == REFUSALS[state]
    if found[1]:
        with pytest.raises(Refused, match=found[1]):
            upload.discard()


def test_who_was_forgotten_is_served_within_a_minute(pool, acme):
    fulfilment = paid(pool)
    jobs.fulfil(fulfilment.id)
    upload = upload_of(pool, "A-1\n")
    upload.state, upload.free = UploadState.PUBLISHED, 1  # and there the process ended
    db.session.commit()
    jobs.tend_pools()
    db.session.expire_all()
    assert fulfilment.due_at is not None


def test_no_license_is_in_the_log(pool, caplog):
    code = secrets.token_hex(8)
    put_in(pool, f"{code}\n{code}\n#NAME?\n")
    assert code not in caplog.text


def test_two_pools_do_not_hold_up_each_other(pool):
    other = Pool.add("Other", by=None)
    db.session.commit()
    first, second = uploads.begin(pool, "a", by=None), uploads.begin(other, "b", by=None)
    for upload, code in ((first, b"A-1"), (second, b"B-1")):
        with file_of(BytesIO(code).read()) as file:
            uploads.read(upload.id, file, Shape())
    assert (first.size, second.size) == (1, 1)
    assert Fulfilment.query.count() == License.query.count() == 0
