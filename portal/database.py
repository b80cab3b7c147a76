"""What Keydesk needs of its two databases: column types, SQLite's settings, and locks.

SQLite is the default and PostgreSQL the choice of those with several hosts; everything that the
two do differently, apart from searching, stands here.
"""

import logging
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from time import monotonic, sleep
from typing import Any, TypeVar

from flask import Flask, current_app, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    event,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

log = logging.getLogger(__name__)

# SQLite gives an id by itself only to a column of exactly this type; it holds 64 bits there.
BigId = BigInteger().with_variant(Integer, "sqlite")
LARGEST_ID = 2**63 - 1
LARGEST_SMALL_ID = 2**31 - 1  # of a thing of which there are not millions

View = TypeVar("View", bound=Callable[..., object])
Done = TypeVar("Done")

# How many seconds what is to be written down waits for a database that fails, and from one try to
# the next.
PATIENCE, PAUSE = 180.0, 1.0

# Entries of each index that SQLite looks at: a second or two, however many there are.
LOOKED_AT = 1000

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# What is raised when the database cannot be used at the moment.
UNAVAILABLE = (OperationalError, InterfaceError, NoConnectionLeft)

# SQLSTATE of class 53, “insufficient resources”.
POSTGRESQL_DISK_FULL = "53100"

# The option of a connection whose transaction only reads.
READS = "keydesk_reads"


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def words(choices: type[StrEnum]) -> Enum:
    """The type of a column that holds the word of one of `choices`."""
    return Enum(
        choices,
        native_enum=False,
        length=32,
        values_callable=lambda enum: [choice.value for choice in enum],
    )


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime, in UTC; a naive one is a mistake of ours and raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """An amount with two decimals, kept as a whole number of hundredths: exact everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value * 100)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-2)


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Prepare the engine of `app`, whose `db` has been bound."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _configure_sqlite(db.engine, wait=app.config["SQLITE_BUSY_TIMEOUT"])
        else:
            _configure_postgresql(db.engine)


def _configure_postgresql(engine: Engine) -> None:
    """Have each statement planned for what it asks.

    A statement that psycopg prepares gets one plan for all questions after some uses, and that one
    reads all orders to find a rare word.
    """

    @event.listens_for(engine, "do_connect")
    def connecting(
        _dialect: Dialect, _entry: ConnectionPoolEntry, _args: object, settings: dict[str, object]
    ) -> None:
        settings["prepare_threshold"] = None


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
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute("PRAGMA mmap_size=268435456")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READS, False)
        mode = "IMMEDIATE" if _will_write() and not reads else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {mode}")


def insert_unless_there(
    session: Session, model: type[DeclarativeBase], rows: list[dict[str, Any]]
) -> None:
    """Insert `rows` but for those that are there already, by whatever unique columns."""
    dialect = session.get_bind().dialect.name
    insert_of = postgresql.insert if dialect == "postgresql" else sqlite.insert
    if rows:
        session.connection().execute(insert_of(model).on_conflict_do_nothing(), rows)


def insert_many(session: Session, model: type[DeclarativeBase], rows: list[dict[str, Any]]) -> None:
    """Insert `rows`, all with the same columns: numbers, texts and bytes as the database has them.
    PostgreSQL takes many of them by COPY several times as quickly as by statements."""
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        connection.execute(insert(model), rows)
        return
    columns = [f'"{name}"' for name in rows[0]]
    driver: Any = connection.connection.driver_connection
    statement = f"COPY {model.__tablename__} ({', '.join(columns)}) FROM STDIN"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(list(row.values()))


class Turn(IntEnum):
    """What the whole portal does in turns, see `take_turn`."""

    SAVING_LICENSES = 1
    ENTERING_LICENSES = 2


def take_turn(session: Session, turn: Turn, *, shared: bool = False) -> None:
    """Wait for `turn`, and have it alone until the transaction ends, or with all who say `shared`.
    On SQLite whoever writes is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        session.execute(select(lock(int(turn))))


def begin_reading(session: Session) -> None:
    """Begin a transaction that will only read, in a request that may write after it has ended: so
    it need not wait for the write lock."""
    session.rollback()
    session.connection(execution_options={READS: True})


def count_what_is_there(session: Session) -> None:
    """Have the database look how its rows are spread, by which it plans statements, and commit.

    SQLite never does by itself, and without it reads every order of a checkout page rather than the
    one that has a license. PostgreSQL does, some minutes later.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text(f"PRAGMA analysis_limit={LOOKED_AT}"))
    session.execute(text("ANALYZE"))
    session.commit()


def keep_trying(session: Session, deed: Callable[[], Done]) -> Done:
    """What `deed` gives, which writes down, and commits, what somebody outside has answered: while
    the database fails it is tried again. After some minutes, when others must have taken over, that
    fails too."""
    ends = monotonic() + PATIENCE
    while True:
        try:
            return deed()
        except UNAVAILABLE as error:
            session.rollback()
            if not is_unavailable(error) or monotonic() > ends:
                raise
            log.error(
                "The database failed, and what came of a job is kept until it can be written down:"
                " %s",
                first_line(error),
            )
        sleep(PAUSE)


def is_unavailable(error: Exception) -> bool:
    """Whether it was the database that failed. SQLite calls a wrong statement an operational error
    too, and quotes from it."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return isinstance(error, UNAVAILABLE) and code != sqlite3.SQLITE_ERROR


def has_no_room(error: Exception) -> bool:
    """Whether the database could not write because its disk is full."""
    cause = getattr(error, "orig", None)
    full = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return full or getattr(cause, "sqlstate", None) == POSTGRESQL_DISK_FULL


def first_line(error: Exception) -> str:
    """What the driver said, without the statement and in one line."""
    return f"{getattr(error, 'orig', None) or error}".partition("\n")[0]


def _will_write() -> bool:
    if not has_request_context():
        return True
    view = current_app.view_functions.get(request.endpoint or "")
    return request.method not in SAFE_METHODS and not getattr(view, "reads_only", False)


def reads_only(view: View) -> View:
    """Mark a POST that changes nothing, so that it does not wait for the write lock."""
    view.reads_only = True  # type: ignore[attr-defined]
    return view
