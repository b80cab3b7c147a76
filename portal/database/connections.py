"""How the portal speaks to its database: what a connection is like, and what a request may do.

A request that only reads takes no lock on SQLite, and on PostgreSQL it has connections of its own,
which begin no transaction.
"""

from collections.abc import Callable
from select import POLLIN, poll
from typing import Any, TypeVar

from flask import Flask, current_app, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as BoundSession
from psycopg import OperationalError
from sqlalchemy import Connection, Dialect, Engine, Executable, event, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext, ExecutionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from portal.database.cursors import NamingCursor

View = TypeVar("View", bound=Callable[..., object])
Question = TypeVar("Question", bound=Executable)

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# The option of a connection whose transaction only reads.
READS = "keydesk_reads"

# The engine whose connections only read, on PostgreSQL.
READING = "reading"

# The option of a statement that is planned once, see `planned_once`.
PLANNED_ONCE = "keydesk_planned_once"

# SQLite copies what was written into the database's file after so many pages, and not after its
# usual 1,000: an import writes the same pages again and again, and is a tenth quicker. After a
# crash that much is read when the database is opened, some 32 MB.
PAGES_BETWEEN_CHECKPOINTS = 8_000

# What an OperationalError says when no statement will be answered on its connection any more,
# although it may look open: that the server ends (operator, crash), or nothing, as the error came
# from libpq rather than from the server.
UNUSABLE = {"57P01", "57P02", None}

# Uses after which psycopg prepares a statement that does not ask for it.
NEVER = 2**31 - 1


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Bind `db` to `app`, and prepare what connects it."""
    uri = app.config["SQLALCHEMY_DATABASE_URI"]
    if make_url(uri).get_backend_name() == "sqlite":
        db.init_app(app)
        with app.app_context():
            _configure_sqlite(db.engine, wait=app.config["SQLITE_BUSY_TIMEOUT"])
        return
    reading = {"url": uri, "isolation_level": "AUTOCOMMIT"}
    app.config["SQLALCHEMY_BINDS"] = {READING: app.config["SQLALCHEMY_ENGINE_OPTIONS"] | reading}
    db.init_app(app)
    with app.app_context():
        for engine in db.engines.values():
            _configure_postgresql(engine)


class PortalSession(BoundSession):
    """On PostgreSQL, what only reads sees each statement for itself anyway (READ COMMITTED): there
    a request that only reads spares beginning a transaction and rolling it back, after which
    psycopg would have forgotten what it has prepared, too."""

    def get_bind(self, *about: Any, **named: Any) -> Engine | Connection:
        reading = self._db.engines.get(READING)
        return super().get_bind(*about, **named) if reading is None or will_write() else reading


def planned_once(question: Question) -> Question:
    """`question`, which every value is answered for in the same way, such as by a key: PostgreSQL
    keeps its plan with the connection rather than plan it anew each time.

    It does so from the sixth time on, where it expects no more of a plan for these values than of
    one for any. A value that may look better than others, such as the bound of a range, is
    therefore `unseen`.
    """
    return question.execution_options(**{PLANNED_ONCE: True})


def unseen(value: Any) -> Any:
    """`value` in a way that PostgreSQL cannot plan for it. Left alone, it plans the list of a day
    for each day that is asked for, which takes longer than to read it."""
    return select(value).scalar_subquery()


def _configure_postgresql(engine: Engine) -> None:
    """Have each statement planned for what it asks, unless it is `planned_once`: the one plan for
    all questions would read every order to find a rare word.

    Whether a connection is still good is seen without asking the server, which takes as long as a
    look at an order: one that was closed, as those of a server that was started anew, has something
    to be read.
    """

    @event.listens_for(engine, "do_connect")
    def connecting(
        _dialect: Dialect, _entry: ConnectionPoolEntry, _args: object, settings: dict[str, object]
    ) -> None:
        settings.setdefault("prepare_threshold", NEVER)
        settings.setdefault("cursor_factory", NamingCursor)

    @event.listens_for(engine, "checkout")
    def taken(connection: Any, _entry: ConnectionPoolEntry, _proxy: object) -> None:
        if connection.closed or _has_something_to_read(connection):
            _ask_for_life(engine.dialect, connection)

    @event.listens_for(engine, "handle_error")
    def failed(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, OperationalError):
            context.is_disconnect |= context.original_exception.sqlstate in UNUSABLE

    @event.listens_for(engine, "do_execute")
    def executing(cursor: Any, statement: str, values: Any, context: ExecutionContext) -> bool:
        is_ours: bool = context.execution_options.get(PLANNED_ONCE, False)
        if is_ours:
            cursor.execute(statement, values, prepare=True)
        return is_ours


def _has_something_to_read(connection: Any) -> bool:
    sockets = poll()
    sockets.register(connection.fileno(), POLLIN)
    return bool(sockets.poll(0))


def _ask_for_life(dialect: Dialect, connection: Any) -> None:
    """Raise DisconnectionError, whereupon the pool connects anew, when the server does not
    answer."""
    try:
        dialect.do_ping(connection)
    except connection.Error as error:
        raise DisconnectionError from error


def _configure_sqlite(engine: Engine, wait: float) -> None:
    """Make each connection of `engine` durable, patient (`wait` seconds) and strict, and begin as
    asked.

    Python's driver begins transactions late and by itself; here every transaction begins where
    SQLAlchemy says so, and one that will write takes the write lock at once, because SQLite cannot
    upgrade a transaction that has read once somebody else has written.
    """

    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an answered resend survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={int(wait * 1000)}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={PAGES_BETWEEN_CHECKPOINTS}")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute("PRAGMA mmap_size=268435456")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READS, False)
        mode = "IMMEDIATE" if will_write() and not reads else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {mode}")


def begin_reading(session: Session) -> None:
    """Begin a transaction that will only read, in a request that may write after it has ended: so
    it need not wait for the write lock."""
    session.rollback()
    session.connection(execution_options={READS: True})


def will_write() -> bool:
    """Whether what is done at the moment may write: all but a request that only reads."""
    if not has_request_context():
        return True
    view = current_app.view_functions.get(request.endpoint or "")
    return request.method not in SAFE_METHODS and not getattr(view, "reads_only", False)


def reads_only(view: View) -> View:
    """Mark a POST that changes nothing, so that it does not wait for the write lock."""
    view.reads_only = True  # type: ignore[attr-defined]
    return view
