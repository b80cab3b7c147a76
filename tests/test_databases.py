"""Each test has a database of its own, on SQLite and on PostgreSQL, with today's tables."""

import gc
import weakref
from contextlib import ExitStack

import pytest
from sqlalchemy import create_engine, delete, func, inspect, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal import create_app
from portal.database import failures
from portal.database.connections import READING
from portal.extensions import db
from portal.models import CheckoutPage, License
from tests.people import bring_in, order_document
from tests.support.application import statements
from tests.support.databases import migrate


@pytest.fixture
def session(database):
    engine = create_engine(database.uri)
    with Session(engine) as session:
        yield session
    engine.dispose()


def test_an_empty_database_gets_its_tables_by_migrating(empty_database):
    engine = create_engine(empty_database.uri)
    assert inspect(engine).get_table_names() == []
    migrate(empty_database.uri)
    assert {"orders", "staff"} < set(inspect(engine).get_table_names())
    engine.dispose()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_no_test_sees_the_rows_or_ids_of_another(session, turn):
    page = CheckoutPage(code="acme-store", title="Acme")
    session.add(page)
    session.commit()
    assert session.scalar(select(func.count()).select_from(CheckoutPage)) == 1
    assert page.id == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_a_test_left_open_does_not_hold_up_the_next(app, migrated_copy):
    db.session.add(CheckoutPage(code="acme-store", title="Acme"))
    db.session.flush()
    migrated_copy.empty()
    with pytest.raises(OperationalError):
        db.session.execute(text("SELECT 1"))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_connection_of_no_more_use_is_given_up_without_another_failure(app):
    db.session.add(CheckoutPage(code="acme-store", title="Acme"))
    db.session.flush()
    # As libpq is left when the server's last words come while it sends: open, and never ready.
    db.session.connection().connection.driver_connection.pgconn.send_query(b"SELECT 1")
    with pytest.raises(OperationalError, match="another command is already in progress"):
        db.session.execute(text("SELECT 1"))
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(CheckoutPage)) == 0


def test_statements_are_collected_inside_the_block_alone(app):
    session = app.extensions["sqlalchemy"].session
    with statements(app) as found:
        session.scalar(text("SELECT 1"))
        session.scalar(text("SELECT 2"))
    session.scalar(text("SELECT 3"))

    assert [one for one in found if one.startswith("SELECT")] == ["SELECT 1", "SELECT 2"]


def test_a_request_that_only_reads_must_not_write(app, stranger):
    @app.get("/writes")
    def writes():
        db.session.execute(delete(CheckoutPage))

    with pytest.raises(AssertionError, match="GET /writes: DELETE"):
        stranger.open("/writes")


KEPT = {  # what is asked, and whether PostgreSQL has one plan for it
    "/orders/{number}": True,
    "/orders": True,
    "/orders?after=2026-11-02T09:00:00Z_0": True,
    "/orders?created_from=2026-11-01": True,
    "/orders?created_from=2026-11-01&created_to=2026-11-05&status=paid": True,
    "/orders?paid_from=2026-11-01": True,
    "/orders?delivery=delivered": True,
    "/orders?delivery=not+delivered": True,
    "/orders?q=5+6+7": True,
    "/orders?q=lovelace": True,
    "/orders?paid_from=2026-11-01&created_from=2026-11-02": False,
}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("asked", "is_kept"), KEPT.items())
def test_postgresql_plans_anew_only_what_depends_on_what_is_asked(
    signed_in, rob, order, asked, is_kept
):
    browser = signed_in(rob)
    for _time in range(5):
        browser.open(asked.format(number=order.number))
    before = {row.name: row for row in _kept_plans()}
    browser.open(asked.format(number=order.number))
    again = [row for row in _kept_plans() if row.calls > before[row.name].calls]
    assert len(again) >= (2 if is_kept else 1)
    assert all(row.custom_plans == before[row.name].custom_plans for row in again)
    assert any("orders.created_at" in row.statement for row in again) == is_kept


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_keeps_plans_when_a_request_that_writes_is_rolled_back(signed_in, rob, order):
    browser = signed_in(rob)
    page = browser.open(f"/orders/{order.number}")
    question = page.press("Resend")
    before = {row.name for row in _kept_plans()}
    order.email = None
    assert question.press("Send").status == 409
    browser.open(f"/orders/{order.number}")
    assert before
    assert {row.name for row in _kept_plans()} == before


def _kept_plans():
    """What PostgreSQL has a plan of for requests that only read, over all of their connections."""
    reading = db.engines[READING]
    with ExitStack() as stack:
        free = range(reading.pool.checkedin())
        connections = [stack.enter_context(reading.connect()) for _connection in free]
        question = text(
            "SELECT name, statement, custom_plans, custom_plans + generic_plans AS calls"
            " FROM pg_prepared_statements"
        )
        return [row for one in connections for row in one.execute(question)]


def test_an_application_that_nobody_uses_is_not_kept(settings):
    unused = weakref.ref(create_app(settings))
    create_app(settings)  # the extensions know the last one
    gc.collect()
    assert unused() is None


def test_the_application_starts_on_the_database_of_the_test(app, database):
    assert app.config["SQLALCHEMY_DATABASE_URI"] == database.uri


@pytest.mark.settings(PORTAL_NAME="Licences")
def test_a_setting_can_be_changed_for_one_test(app):
    assert app.config["PORTAL_NAME"] == "Licences"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("count", [1, 100])
def test_licenses_are_saved_once_the_database_is_back(app, database, acme, monkeypatch, count):
    monkeypatch.setattr(failures, "PAUSE", 0)
    (item,) = bring_in(order_document(codes=())).items
    texts = [f"AAAA-{number}" for number in range(count)]
    tries = []

    def save():
        tries.append(item.licenses)
        if len(tries) == 1:
            pid = db.session.scalar(select(func.pg_backend_pid()))
            engine = create_engine(database.uri)
            with engine.connect() as other:
                other.execute(select(func.pg_terminate_backend(pid, 5_000)))
            engine.dispose()
        License.save_all(item, texts, pool_license_ids=[None] * count)
        db.session.commit()

    failures.keep_trying(db.session(), save)
    assert len(tries) == 2
    assert [license.text for license in item.licenses] == texts


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_connection_to_sqlite_is_durable_patient_and_strict(app):
    asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    said = [db.session.execute(text(f"PRAGMA {name}")).scalar_one() for name in asked]
    full, patience = 2, app.config["SQLITE_BUSY_TIMEOUT"] * 1000
    assert said == ["wal", full, 1, patience]
