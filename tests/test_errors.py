"""A failure becomes a page, a notice in the page that asked, or JSON; nobody sees a bare one."""

import sqlite3
import time
from pathlib import Path

import pytest
from flask import abort
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal import create_app
from portal.cli.failures import one_line
from portal.extensions import db
from portal.models import Hook, Order, PageSecret, Role
from tests.people import CODE, KIM, add_staff
from tests.support.application import dispose_of
from tests.support.portal import PlainBrowser
from tests.support.senders import Sender, message

SECRET = "hidden-word"
TITLES = {
    400: "That request was not understood",
    403: "You may not do that",
    404: "There is nothing here",
    405: "That cannot be done here",
    413: "That is too large",
    415: "That kind of content is not understood here",
    418: "Something went wrong on our side",
    500: "Something went wrong on our side",
    503: "Keydesk is busy",
}
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/orders"}
each_code = pytest.mark.parametrize("code", TITLES)
once = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
on_sqlite, on_postgresql = (
    pytest.mark.parametrize("database", [kind], indirect=True) for kind in ("sqlite", "postgresql")
)
# As it is outside the tests, where an exception does not reach whoever asked.
for_real = pytest.mark.settings(PROPAGATE_EXCEPTIONS=False)


@pytest.fixture
def failing(app):
    """Addresses that fail as asked."""
    app.add_url_rule("/fail/<int:code>", "fail", abort)
    app.add_url_rule("/api/v1/fail/<int:code>", "api_fail", abort)

    def broken():
        try:
            raise KeyError(f"{CODE} of {KIM}")
        except KeyError as error:
            db.session.execute(text("SELECT 1"))
            raise ValueError(f"{SECRET} and {CODE}") from error

    app.add_url_rule("/broken", "broken", broken)
    app.add_url_rule("/api/v1/broken", "api_broken", broken)
    wrong = text("SELECT :license FROM no_such_table")
    app.add_url_rule("/wrong", "wrong", lambda: db.session.execute(wrong, {"license": CODE}))


@pytest.fixture(params=["stranger", "staff"])
def browser(request, app, failing, signed_in):
    """The browser of somebody who has not signed in, and of somebody who has."""
    if request.param == "stranger":
        return PlainBrowser(app)
    return signed_in(add_staff("ada@example.com", Role.OPERATOR))


@once
@each_code
def test_a_failure_is_a_page_with_a_way_on(browser, code):
    page = browser.open(f"/fail/{code}")
    assert page.status == code
    assert page.parts("h1")[0].text == TITLES[code]
    is_stranger = "Sign out" not in page.text
    assert page.part("main").names == [
        "To the sign-in page" if is_stranger and code < 500 else "To the orders"
    ]
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


@once
@each_code
def test_under_htmx_a_failure_is_a_notice_in_the_page(browser, code):
    answer = browser.open(f"/fail/{code}", headers=HTMX)
    assert answer.status == code
    assert answer.headers["HX-Retarget"] == "#notice"
    assert answer.headers["HX-Reswap"] == "innerHTML"
    assert answer.text.startswith(f"{TITLES[code]}.")
    assert not answer.parts("h1, main, header")


@once
@each_code
def test_a_failure_of_the_api_is_json(browser, code):
    for headers in ({}, HTMX, {"Accept": "text/html"}):
        answer = browser.open(f"/api/v1/fail/{code}", headers=headers)
        assert answer.status == code
        assert answer.response.json.keys() == {"error", "because"}
        assert answer.response.json["because"].startswith(f"{TITLES[code]}.")


@once
def test_whoever_signed_in_keeps_their_way_around(failing, signed_in, ada):
    browser = signed_in(ada)
    assert "Sign out" in browser.open("/fail/404").names
    assert "Sign out" not in browser.open("/fail/500").names  # to know them may be what failed
    assert "Sign out" in browser.open("/orders").names


@once
def test_what_cannot_be_done_says_what_can(stranger):
    answer = stranger.open("/logout")
    assert answer.status == 405
    assert "POST" in answer.headers["Allow"]


@once
@pytest.mark.parametrize("path", ["/login", "/searches"])
def test_a_form_that_is_too_large_is_refused(browser, path):
    answer = browser.open(path, method="POST", data={"q": "x" * 2 * 1024 * 1024})
    assert answer.status == 413
    assert answer.parts("h1")[0].text == TITLES[413]


@once
@pytest.mark.parametrize(
    "path", ["/%00", "/orders/%ff", "/orders?%ff=%fe", "/static/../portal/config.py", "/api/%00"]
)
def test_a_strange_address_breaks_nothing(browser, path):
    assert browser.open(path).status in (200, 401, 404)


@for_real
@pytest.mark.parametrize("path", ["/broken", "/api/v1/broken"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_an_unknown_exception_is_shown_and_written_down(browser, caplog, path, headers):
    answer = browser.open(path, headers=headers)
    assert answer.status == 500
    assert TITLES[500] in answer.response.text
    for place in ("ValueError", "KeyError", "in broken", "test_errors.py"):
        assert place in caplog.text
    for hidden in (SECRET, CODE, KIM):
        assert hidden not in answer.response.text
        assert hidden not in caplog.text
    assert browser.open("/orders").status == 200


@for_real
def test_a_statement_that_is_wrong_is_a_fault_and_not_a_busy_database(browser, caplog):
    answer = browser.open("/wrong")
    assert answer.status == 500
    assert "test_errors.py" in caplog.text or "sqlalchemy" in caplog.text
    assert CODE not in caplog.text
    assert browser.open("/orders").status == 200


def lock(database):
    """A connection that writes, and does not end."""
    other = sqlite3.connect(database.uri.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def timed(ask):
    began = time.monotonic()
    answer = ask()
    return answer, time.monotonic() - began


@for_real
@on_sqlite
@pytest.mark.settings(SQLITE_BUSY_TIMEOUT=3)
def test_whoever_signs_in_while_sqlite_is_locked_waits_once(stranger, rob, database, caplog):
    page = stranger.open("/login").fill("Email", rob.email).fill("Password", "x" * 10)
    db.session.commit()
    other = lock(database)
    answer, seconds = timed(lambda: page.press("Sign in"))
    assert answer.status == 503
    assert answer.parts("h1")[0].text == TITLES[503]
    assert 2.9 < seconds < 5.9
    assert "database is locked" in caplog.text
    other.rollback()
    other.close()
    assert stranger.sign_in(rob.email).address == "/orders"


# What a database says whose disk is full, said by the database itself.
WITHOUT_ROOM = {
    "sqlite": ["PRAGMA max_page_count = 1", "CREATE TABLE t AS SELECT randomblob(100000)"],
    "postgresql": ["DO $$ BEGIN RAISE 'no space left' USING ERRCODE = 'disk_full'; END $$"],
}


def write_without_room():
    for statement in WITHOUT_ROOM[db.engine.dialect.name]:
        db.session.execute(text(statement))


@for_real
def test_a_full_disk_is_called_that(app, stranger):
    app.add_url_rule("/full", "full", write_without_room)
    page = stranger.open("/full")
    assert (page.status, page.headers["Retry-After"]) == (503, "10")
    assert page.parts("h1")[0].text == "Keydesk cannot write anything down"
    assert "tell an operator" in page.text
    dispose_of(app)


@for_real
@once
@pytest.mark.parametrize(("path", "code"), [("/dev/full", 503), ("/nowhere/at-all", 500)])
def test_so_is_one_on_which_a_file_finds_no_room_and_any_other_trouble_is_a_fault(
    app, stranger, path, code, caplog
):
    app.add_url_rule("/write", "write", lambda: str(Path(path).write_bytes(b"A-1")))
    page = stranger.open("/write")
    assert page.status == code
    assert ("Keydesk cannot write anything down" in page.text) == (code == 503)
    assert ("No space left on device" in caplog.text) == (code == 503)


def test_a_command_that_finds_no_room_says_what_to_do(app):
    with pytest.raises(DBAPIError) as failure:
        write_without_room()
    assert one_line(failure.value).endswith("(make room there, and run it again)")
    db.session.remove()
    dispose_of(app)


@for_real
@on_sqlite
@pytest.mark.settings(SQLITE_BUSY_TIMEOUT=1)
def test_a_program_that_tells_of_an_order_while_sqlite_is_locked_tells_again(app, acme, database):
    sender = Sender(app, "/hooks/acme", PageSecret.add(acme, Hook.WEBHOOK))
    db.session.commit()
    other = lock(database)
    answer = sender.tell(message(), id="msg_1")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    other.rollback()
    other.close()
    assert sender.tell(message(), id="msg_1").status_code == 200
    assert db.session.get(Order, 5555555) is not None


@for_real
@on_sqlite
@pytest.mark.settings(SQLITE_BUSY_TIMEOUT=3)
def test_whoever_sends_while_sqlite_is_locked_is_told_and_nothing_leaves(
    signed_in, rob, order, database, mailbox
):
    question = signed_in(rob).open("/orders/A0005555555").press("Resend")
    other = lock(database)
    answer, seconds = timed(lambda: question.press("Send"))
    assert answer.status == 503
    assert answer.headers["HX-Retarget"] == "#notice"
    assert answer.text.startswith(TITLES[503])
    assert 2.9 < seconds < 5.9
    assert mailbox.empty
    other.rollback()
    other.close()
    question.press("Send")
    assert len(mailbox.wait_for(1)) == 1


@for_real
@on_sqlite
@pytest.mark.settings(SQLITE_BUSY_TIMEOUT=1)
def test_whoever_reads_does_not_notice_that_sqlite_is_locked(signed_in, rob, order, database):
    browser = signed_in(rob)
    db.session.commit()
    other = lock(database)
    answer, seconds = timed(lambda: browser.open("/orders/A0005555555"))
    assert answer.status == 200
    assert seconds < 0.9
    other.close()


@pytest.fixture
def doomed(migrated_copy, cluster, worker, settings):
    """A portal on a PostgreSQL database of its own, which a test may ruin; the database's name."""
    name = f"doomed_{worker}"
    cluster.create(name, template="migrated")
    app = create_app(settings | {"SQLALCHEMY_DATABASE_URI": cluster.uri(name)})
    with app.app_context():
        add_staff("ada@example.com", Role.OPERATOR)
        yield app, name
        db.session.remove()
    dispose_of(app)
    cluster.drop(name)


@for_real
@on_postgresql
def test_a_connection_that_broke_costs_no_answer(doomed, cluster):
    app, name = doomed
    browser = PlainBrowser(app)
    browser.sign_in("ada@example.com")
    db.session.remove()
    with cluster.connect() as connection:
        terminate = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        )
        connection.execute(terminate, [name])
    assert browser.open("/orders").status == 200


@for_real
@on_postgresql
def test_while_postgresql_is_away_every_page_says_so(doomed, cluster, caplog):
    app, name = doomed
    browser = PlainBrowser(app)
    assert browser.sign_in("ada@example.com").address == "/orders"
    sign_in = PlainBrowser(app).open("/login").fill("Email", "x@example.com").fill("Password", "x")
    db.session.remove()
    cluster.drop(name)
    for _time in range(2):
        for path in ("/orders", "/orders/A1", "/login", "/password"):
            answer = browser.open(path)
            assert answer.status == 503, path
            assert answer.parts("h1")[0].text == TITLES[503]
        answer = browser.open("/orders", headers=HTMX)
        assert (answer.status, answer.headers["HX-Retarget"]) == (503, "#notice")
        answer = browser.open("/api/v1/orders/A1", headers={"Authorization": "Bearer x"})
        assert (answer.status, answer.response.json["error"]) == (503, "unavailable")
        assert sign_in.press("Sign in").status == 503
    assert browser.open("/static/portal.css", buffered=True).status == 200
    assert "Traceback" not in caplog.text
