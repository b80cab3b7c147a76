"""How the portal is connected to its database.

A request that only reads takes no lock on SQLite, and on PostgreSQL it has connections of its own,
which begin no transaction.
"""

from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as BoundSession
from sqlalchemy import Connection, Engine, make_url

from portal.database import postgresql, sqlite
from portal.database.reading import will_write

# The engine whose connections only read, on PostgreSQL.
READING = "reading"


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Bind `db` to `app`, and prepare what connects it."""
    uri = app.config["SQLALCHEMY_DATABASE_URI"]
    if make_url(uri).get_backend_name() == "sqlite":
        db.init_app(app)
        with app.app_context():
            sqlite.configure(db.engine, wait=app.config["SQLITE_BUSY_TIMEOUT"])
        return
    reading = {"url": uri, "isolation_level": "AUTOCOMMIT"}
    app.config["SQLALCHEMY_BINDS"] = {READING: app.config["SQLALCHEMY_ENGINE_OPTIONS"] | reading}
    db.init_app(app)
    with app.app_context():
        for engine in db.engines.values():
            postgresql.configure(engine)


class PortalSession(BoundSession):
    """On PostgreSQL, what only reads sees each statement for itself anyway (READ COMMITTED): there
    a request that only reads spares beginning a transaction and rolling it back, after which
    psycopg would have forgotten what it has prepared, too."""

    def get_bind(self, *about: Any, **named: Any) -> Engine | Connection:
        reading = self._db.engines.get(READING)
        return super().get_bind(*about, **named) if reading is None or will_write() else reading
