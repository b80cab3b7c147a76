"""Each test has a database of its own, on SQLite and on PostgreSQL, with today's tables."""

import gc
import weakref
from contextlib import ExitStack

import pytest
from sqlalchemy import create_engine, delete, func, inspect, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal import create_app
from portal.extensions import db
from portal.models import CheckoutPage
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
def test_what_a_test_left_open_does_not_hold_up_the_next(session, migrated_copy):
    session.add(CheckoutPage(code="acme-store", title="Acme"))
    session.flush()
    migrated_copy.empty()
    with pytest.raises(OperationalError):
        session.execute(text("SELECT 1"))


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


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_keeps_plans_but_where_they_depend_on_what_is_asked(signed_in, rob, order):
    browser = signed_in(rob)
    for _time in range(2):
        browser.open(f"/orders/{order.number}")
        browser.open("/orders?q=lovelace")
    planned = "\n".join(_planned_once())
    assert all(f"FROM {table}" in planned for table in ("staff", "orders", "history_entries"))
    assert "search_text" not in planned


def _planned_once():
    """The statements that PostgreSQL has a plan of, over all connections."""
    with ExitStack() as stack:
        free = range(db.engine.pool.checkedin())
        connections = [stack.enter_context(db.engine.connect()) for _connection in free]
        question = text("SELECT statement FROM pg_prepared_statements")
        return [row.statement for one in connections for row in one.execute(question)]


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
