"""Migrations lead to the tables that the models describe, and back, on both databases."""

import pytest
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import create_engine, inspect, text

from portal import create_app
from portal.extensions import db
from portal.job_queue import open_queue
from portal.models import AwaitedOrder, Order
from portal.models.search_text import search_text
from tests.support.application import dispose_of, ordinary_settings


@pytest.fixture
def engine(empty_database):
    engine = create_engine(empty_database.uri)
    yield engine
    engine.dispose()


def test_the_migrated_tables_are_those_of_the_models(empty_database):
    app = create_app(ordinary_settings() | {"SQLALCHEMY_DATABASE_URI": empty_database.uri})
    with app.app_context():
        upgrade()
        queue = open_queue(empty_database.uri, "secret")  # which makes tables of its own
        queue.storage.close()
        check()
        db.session.execute(text("ALTER TABLE staff DROP COLUMN ended_sessions"))
        db.session.commit()
        with pytest.raises(SystemExit):
            check()
        db.session.rollback()
    dispose_of(app)


def test_the_way_back_leaves_nothing_and_the_way_forward_works_again(engine, empty_database):
    app = create_app(ordinary_settings() | {"SQLALCHEMY_DATABASE_URI": empty_database.uri})
    with app.app_context():
        upgrade()
        downgrade(revision="base")
        assert inspect(engine).get_table_names() == ["alembic_version"]
        upgrade()
    inspect(engine).clear_cache()
    assert "orders" in inspect(engine).get_table_names()
    dispose_of(app)


ROWS = (
    "INSERT INTO checkout_pages (id, code, title, delivery_allowed, created_at)"
    " VALUES (1, 'acme', 'Acme', true, '2026-11-02 10:00:00')",
    "INSERT INTO orders (id, number, checkout_page_id, status, created_at, currency, total, locale,"
    " customer_type, search_text) VALUES (7, 'A7', 1, 'paid', '2026-11-02 10:00:00', 'EUR', 2995,"
    " 'en', 'physical', ' kim ')",
    "INSERT INTO items (id, order_id, ref, position, product_code, product_name, quantity, amount)"
    " VALUES (1, 7, '1', 1, '1001', 'Sentinel', 1, 2995)",
)


def test_orders_that_are_there_come_along(engine, empty_database):
    app = create_app(ordinary_settings() | {"SQLALCHEMY_DATABASE_URI": empty_database.uri})
    with app.app_context():
        upgrade(revision="0003")
        for row in ROWS:
            db.session.execute(text(row))
        db.session.commit()
        upgrade()
        order = db.session.get(Order, 7)
        assert (order.told_at, order.parts, order.status) == (None, None, "paid")
        assert [(item.ref, item.told_at) for item in order.items] == [("1", None)]
        awaited = db.session.get(AwaitedOrder, 7)
        assert (awaited.status, awaited.items) == ("paid", 1)
        db.session.rollback()
        downgrade(revision="0003")
        assert db.session.scalar(text("SELECT count(*) FROM items")) == 1
        db.session.rollback()
    dispose_of(app)


def test_names_that_are_there_are_found_without_their_strokes(empty_database):
    app = create_app(ordinary_settings() | {"SQLALCHEMY_DATABASE_URI": empty_database.uri})
    with app.app_context():
        upgrade(revision="0017")
        for row in ROWS:
            db.session.execute(text(row.replace("' kim '", "' yılmaz æsa '")))
        db.session.commit()
        upgrade()
        kept = text("SELECT search_text FROM orders")
        assert db.session.scalar(kept) == search_text(["Yılmaz", "Æsa"]) == " yilmaz aesa "
        if db.engine.dialect.name == "sqlite":
            index = text("SELECT rowid FROM order_search WHERE order_search MATCH '\"yilmaz\"'")
            assert db.session.scalar(index) == 7
        db.session.rollback()
    dispose_of(app)


def test_names_that_are_there_are_found_with_plain_signs(empty_database):
    app = create_app(ordinary_settings() | {"SQLALCHEMY_DATABASE_URI": empty_database.uri})
    was = " o갧brien ".replace("갧", chr(0xAC00 + ord("’"))) + "dʼarc "
    with app.app_context():
        upgrade(revision="0019")
        for row in ROWS:
            db.session.execute(text(row.replace("' kim '", f"'{was}'")))
        db.session.commit()
        upgrade()
        kept = db.session.scalar(text("SELECT search_text FROM orders"))
        assert kept == search_text(["O’Brien", "dʼArc"]) == search_text(["O'Brien", "d'Arc"])
        db.session.rollback()
    dispose_of(app)


CHANGES = [
    ("products", "secret", None, "whsec_old", None, "•••"),
    ("products", "secret", "whsec_old", "whsec_new", "•••", "another •••"),
    ("products", "extra_headers.Authorization", "Bearer old", None, "•••", None),
    ("products", "extra_parameters", None, "{'key': 'old'}", None, "•••"),
    ("products", "url", None, "https://v.example/?key=old", None, "https://v.example/?•••"),
    (
        "products",
        "url",
        "https://v.example/?key=old",
        "https://v.example/?key=new",
        "https://v.example/?•••",
        "https://v.example/?another •••",
    ),
    ("products", "secret", "•••", "another •••", "•••", "another •••"),
    (
        "products",
        "url",
        "https://v.example/?•••",
        "https://w.example/",
        "https://v.example/?•••",
        "https://w.example/",
    ),
    ("products", "time_out", "10", "20", "10", "20"),
    ("checkout_pages", "secret for webhook", None, "key 1", None, "key 1"),
]


def test_what_early_versions_noted_in_the_clear_is_hidden(empty_database):
    app = create_app(ordinary_settings() | {"SQLALCHEMY_DATABASE_URI": empty_database.uri})
    insert = text(
        "INSERT INTO changes (id, at, noun, noun_id, title, field, before, after)"
        " VALUES (:id, '2026-11-02 10:00:00', :noun, 1, 'Sentinel', :field, :before, :after)"
    )
    with app.app_context():
        upgrade(revision="0015")
        for number, (noun, field, before, after, _was, _is_now) in enumerate(CHANGES):
            values = {"noun": noun, "field": field, "before": before, "after": after}
            db.session.execute(insert, {"id": number, **values})
        db.session.commit()
        upgrade()
        found = db.session.execute(text("SELECT before, after FROM changes ORDER BY id")).all()
        db.session.rollback()
    assert [tuple(row) for row in found] == [change[-2:] for change in CHANGES]
    dispose_of(app)
