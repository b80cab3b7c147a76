"""Operators look after pools on pages of their own; agents do not see them."""

import resource
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy.orm import Session

from portal import jobs
from portal.extensions import db
from portal.models import Notice, Pool, PoolUpload, Product, UploadState
from portal.views import pool_uploads
from tests.pools import paid, put_in, texts, upload_of
from tests.support.application import statements
from tests.test_resends import wait_until_somebody_waits


def uploaded(browser, pool, content, **fields):
    """The page that answers when a file is uploaded on the page of `pool`."""
    page = browser.open(f"/pools/{pool.id}")
    token = page.parts("input[name=csrf_token]")[0].attributes["value"]
    return send(browser, pool, token, content, **fields)


def send(browser, pool, token, content, **fields):
    """Send the form of an upload as a browser does."""
    content = content if isinstance(content, bytes) else content.encode()
    fields = {"way": "lines", "separator": "---", "column": "", "encoding": ""} | fields
    parts = [
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (fields | {"csrf_token": token}).items()
    ]
    head = "".join(parts) + (
        '--limit\r\nContent-Disposition: form-data; name="file"; filename="keys.txt"\r\n'
        "Content-Type: text/plain\r\n\r\n"
    )
    body = head.encode() + content + b"\r\n--limit--\r\n"
    return browser.open(
        f"/pools/{pool.id}/uploads",
        method="POST",
        input_stream=BytesIO(body),
        content_length=len(body),
        content_type="multipart/form-data; boundary=limit",
    )


def read(browser, page):
    """The page of an upload once its file has been read."""
    while "is being read" in page.text:
        page = browser.open(page.address)
    return page


def test_an_operator_makes_a_pool_fills_it_and_sees_what_is_left(signed_in, ada, acme, mailbox):
    browser = signed_in(ada)
    page = browser.open("/orders").press("Pools")
    assert "No pools yet" in page.text
    page = page.press("New pool").fill("Title", "Sentinel keys")
    page = page.fill("Warn when so many licenses are left", "2").press("Save")
    pool = Pool.by_title("Sentinel keys")
    assert page.address == f"/pools/{pool.id}"

    page = uploaded(browser, pool, "A-1\n\nA-2\nA-2\nA-3\nJan-04\n")
    page = read(browser, page)
    assert "4 New: go into the pool" in page.part("upload").text
    assert "1 More than once in the file" in page.part("upload").text
    assert "line 4" in page.part("upload").text
    assert "A-1" not in page.response.text
    assert pool.stock == 0
    page = page.press("Put 4 licenses into the pool")
    assert "The licenses are in the pool." in page.text
    assert pool.stock == 4

    jobs.fulfil(paid(pool).id)
    page = browser.open("/pools")
    row = page.parts("tbody tr")[0].text
    assert "Sentinel keys" in row
    assert "Sentinel Antivirus, 1 year" in row
    assert (pool.stock, pool.used) == (3, 1)
    page = browser.open(f"/pools/{pool.id}").press("Sentinel Antivirus, 1 year")
    assert page.address.startswith("/products/")


@pytest.fixture
def refused_warning(pool, acme, mail_server):
    """The e-mail that was to warn of a pool that runs low, and that the mail server refused."""
    pool.change(threshold=5, warn_to="nobody@example.com", by=None)
    put_in(pool, "A-1\nA-2\nA-3\nA-4\n")
    mail_server(at="RCPT", answer="550 5.1.1 No such user")
    (notice,) = warnings()
    jobs.notify(notice.id)
    return notice


def warnings():
    db.session.expire_all()
    return db.session.scalars(db.select(Notice).order_by(Notice.id)).all()


def test_a_warning_that_was_refused_for_good_is_said(signed_in, ada, pool, refused_warning):
    page = signed_in(ada).open(f"/pools/{pool.id}")
    assert "to nobody@example.com did not arrive: The mail server refused the address." in page.text
    assert "once a day" in page.text


def test_a_warning_that_was_refused_goes_again_once_a_day(pool, acme, refused_warning):
    jobs.fulfil(paid(pool).id)
    assert warnings() == [refused_warning]
    refused_warning.created_at -= timedelta(days=1, minutes=1)
    db.session.commit()
    for number in (2, 3):
        jobs.fulfil(paid(pool, f"A{number:010}").id)
        assert len(warnings()) == 2
    assert warnings()[1].to == "nobody@example.com"


def test_a_warning_that_was_refused_goes_at_once_to_another_address(
    signed_in, ada, pool, refused_warning, mailbox, mail_server
):
    page = signed_in(ada).open(f"/pools/{pool.id}").fill("Whom to warn", "v@example.com")
    page = page.press("Save")
    assert "did not arrive" not in page.text
    (_refused, notice) = warnings()
    working = mail_server()
    jobs.notify(notice.id)
    assert working.wait_for(1)[0].recipients == ["v@example.com"]
    assert "did not arrive" not in signed_in(ada).open(f"/pools/{pool.id}").text


def test_an_upload_that_waits_is_found_and_discarded(signed_in, ada, pool):
    upload = upload_of(pool, "A-1\n")
    page = signed_in(ada).open(f"/pools/{pool.id}").press("keys.txt").press("Discard")
    assert "Nothing of it is in the pool" in page.text
    assert upload.state is UploadState.DISCARDED


def test_an_upload_is_taken_back_while_nothing_of_it_was_used(signed_in, ada, pool, acme, mailbox):
    upload, _due = put_in(pool, "A-1\nA-2\n")
    used, _due = put_in(pool, "B-1\n")
    page = signed_in(ada).open(f"/pools/{pool.id}/uploads/{upload.id}")
    page = page.press("Take the upload back")
    assert "was taken back" in page.text
    assert "keys.txt (2)" in page.part("changes").text
    assert "ada@example.com" in page.part("changes").text

    jobs.fulfil(paid(pool).id)
    page = signed_in(ada).open(f"/pools/{pool.id}/uploads/{used.id}")
    assert "Some of its licenses have been used." in page.text
    assert "Take the upload back" not in page.names


def test_who_waits_is_served_by_an_upload_on_the_page(signed_in, ada, pool, acme, mailbox):
    fulfilment = paid(pool)
    jobs.fulfil(fulfilment.id)
    browser = signed_in(ada)
    read(browser, uploaded(browser, pool, "A-1\n")).press("Put 1 license into the pool")
    assert fulfilment.due_at is not None
    jobs.fulfil(fulfilment.id)
    assert texts(fulfilment) == ["A-1"]


@pytest.mark.parametrize(
    ("content", "fields", "words"),
    [
        (b"A-1\n\xe9", {}, "Line 2: is not UTF-8"),
        ("a,b\n", {"way": "csv", "column": "c"}, "names no column"),
        ("a,b\n", {"way": "csv"}, "Say which column has the licenses."),
        ("A", {"way": "separator", "separator": " "}, "Say what stands between two licenses."),
        ("A", {"encoding": "klingon"}, "There is no such encoding."),
        ("\n\n", {}, "There is no new license in it."),
    ],
)
def test_what_cannot_be_read_says_why(signed_in, ada, pool, content, fields, words):
    db.session.commit()
    browser = signed_in(ada)
    page = read(browser, uploaded(browser, pool, content, **fields))
    assert words in page.text
    assert pool.stock == 0


def test_a_second_upload_has_to_wait_for_the_first(signed_in, ada, pool):
    upload_of(pool, "A-1\n")
    page = uploaded(signed_in(ada), pool, "B-1\n")
    assert page.status == 409
    assert "is not confirmed yet" in page.text


@pytest.mark.parametrize(
    ("label", "value", "words"),
    [
        ("Title", " ", "This has to be filled in."),
        ("Title", "x" * 201, "Use 200 characters at most."),
        ("Title", "Sentinel\x85keys", "Use one line, without control characters."),
        ("Title", "Other", "There is a pool"),
        ("Whom to warn", "nobody", "must have an @-sign"),
        ("Warn when so many licenses are left", "-1", "Use 0 at least."),
        ("Warn when so many licenses are left", "2000000001", "Use 2000000000 at most."),
        ("Warn when so many licenses are left", "many", "Use a whole number."),
        ("Warn when so many licenses are left", "", "Use a whole number."),
    ],
)
def test_settings_that_cannot_be(signed_in, ada, pool, label, value, words):
    Pool.add("Other", by=None)
    page = signed_in(ada).open(f"/pools/{pool.id}").fill(label, value).press("Save")
    assert page.status in (409, 422)
    assert words in page.text
    assert "Nothing was saved. See the fields that are marked." in page.text
    assert page.parts("[aria-invalid]")[0].attributes["value"] == value
    db.session.expire_all()
    assert (pool.title, pool.warn_to, pool.threshold) == ("Sentinel keys", None, 0)


@pytest.mark.parametrize("address", ["/pools", "/pools/1"])
def test_of_two_who_give_a_title_at_once_the_second_is_told(
    signed_in, ada, pool, database, address
):
    browser = signed_in(ada)
    token = browser.open(address).parts("input[name=csrf_token]")[0].attributes["value"]
    form = {"csrf_token": token, "title": "Other", "threshold": "3", "warn_to": ""}
    db.session.rollback()
    with Session(db.engine) as other, ThreadPoolExecutor(1) as thread:
        other.add(Pool(title="Other"))
        other.flush()
        answer = thread.submit(browser.client.post, address, data=form)
        wait_until_somebody_waits(other, database)
        other.commit()
        assert answer.result().status_code == 409
    assert "There is a pool “Other” already." in answer.result().text
    assert [(each.title, each.threshold) for each in Pool.all()] == [
        ("Other", 0),
        ("Sentinel keys", 0),
    ]


def test_a_change_of_the_settings_is_noted(signed_in, ada, pool):
    page = signed_in(ada).open(f"/pools/{pool.id}").fill("Whom to warn", "v@example.com")
    page = page.press("Save")
    assert "Whom to warn" in page.part("changes").text
    page = page.fill("Warn when so many licenses are left", "7").press("Save")
    assert "Warn when so many licenses are left" in page.part("changes").text
    assert "v@example.com" in page.part("changes").text


def test_the_navigation_says_where_one_is(signed_in, ada, pool, acme):
    product = Product.appear(acme.id, {"1001": "Sentinel"})["1001"]
    upload = upload_of(pool, "A-1\n")
    marked = {
        "/pools": ("Pools", "page"),
        f"/pools/{pool.id}": ("Pools", "true"),
        f"/pools/{pool.id}/uploads/{upload.id}": ("Pools", "true"),
        "/checkout-pages/acme/messages": ("Checkout pages", "true"),
        "/checkout-pages/acme/texts/en": ("Checkout pages", "true"),
        f"/products/{product.id}/texts/en": ("Products", "true"),
    }
    browser = signed_in(ada)
    for address, expected in marked.items():
        page = browser.open(address)
        found = [
            (link.text, link.attributes["aria-current"])
            for link in page.parts("header nav a[aria-current]")
        ]
        assert found == [expected], (address, page.status)


LARGE = b"".join(b"%d-" % number + b"x" * 1000 + b"\n" for number in range(1_100))


def test_a_file_is_larger_than_any_other_request(signed_in, ada, pool, monkeypatch):
    db.session.commit()
    browser = signed_in(ada)
    page = read(browser, uploaded(browser, pool, LARGE))
    assert "1,100 New: go into the pool" in page.text
    monkeypatch.setattr(pool_uploads, "LARGEST_FILE", 1024 * 1024)
    assert uploaded(browser, pool, LARGE).status == 413


@contextmanager
def full_disk():
    """No file that this process writes gets longer than 100 kB meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_finds_no_room_is_no_upload_and_stands_in_nobodys_way(signed_in, ada, pool):
    db.session.commit()
    browser = signed_in(ada)
    with full_disk():
        page = uploaded(browser, pool, LARGE[:300_000])
    assert page.status == 503
    assert page.parts("h1")[0].text == "Keydesk cannot write anything down"
    assert db.session.scalars(db.select(PoolUpload)).all() == []
    assert "1 New: go into the pool" in read(browser, uploaded(browser, pool, "A-1\n")).text


def test_an_agent_uploads_nothing_and_no_large_file_of_theirs_is_read(signed_in, rob, ada, pool):
    db.session.commit()
    browser = signed_in(rob)
    token = browser.open("/orders").parts("input[name=csrf_token]")[0].attributes["value"]
    assert send(browser, pool, token, LARGE).status == 413
    assert send(browser, pool, token, b"A-1").status == 403
    assert browser.open("/pools").status == 403
    assert "Pools" not in browser.open("/orders").names
    assert db.session.scalars(db.select(PoolUpload)).all() == []


@pytest.mark.parametrize("path", ["/pools/9", f"/pools/{10**30}", "/pools/1/uploads/9"])
def test_what_is_not_there(signed_in, ada, pool, path):
    db.session.commit()
    assert signed_in(ada).open(path).status == 404


def test_the_upload_of_another_pool_is_not_this_ones(signed_in, ada, pool):
    other = Pool.add("Other", by=None)
    upload = upload_of(other, "A-1\n")
    assert signed_in(ada).open(f"/pools/{pool.id}/uploads/{upload.id}").status == 404


def test_the_list_of_pools_costs_six_statements_however_long_it_is(app, signed_in, ada):
    for number in range(20):
        Pool.add(f"Pool {number}", by=None)
    db.session.commit()
    browser = signed_in(ada)
    with statements(app) as found:
        page = browser.open("/pools")
    assert len(page.parts("tbody tr")) == 20
    assert len([sql for sql in found if sql.startswith("SELECT")]) <= 6
