"""What the two databases are asked in ways of their own."""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any

import psycopg
from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

# Entries of each index that SQLite looks at: a second or two, however many there are.
LOOKED_AT = 1000


def insert_unless_there(
    session: Session, model: type[DeclarativeBase], rows: list[dict[str, Any]]
) -> None:
    """Insert `rows` but for those that are there already, by whatever unique columns."""
    dialect = session.get_bind().dialect.name
    insert_of = postgresql.insert if dialect == "postgresql" else sqlite.insert
    if rows:
        session.connection().execute(insert_of(model).on_conflict_do_nothing(), rows)


def copy_rows(connection: Connection, columns: str, values: Iterable[Sequence[Any]]) -> None:
    """Have PostgreSQL take `values` by COPY, which is several times as quick as statements are.
    `columns` are a table and its columns, such as "licenses (id, sealed)". Raises
    sqlalchemy.exc.DBAPIError."""
    driver: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {columns} FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
    except psycopg.Error as error:  # SQLAlchemy knows nothing of this statement
        if driver.closed:
            connection.invalidate(error)
        refusal = DBAPIError.instance("COPY", None, error, psycopg.Error, hide_parameters=True)
        raise refusal from None


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


def count_what_is_there(session: Session) -> None:
    """Have the database look how its rows are spread, by which it plans statements, and commit.

    SQLite never does by itself, and without it reads every order of a checkout page rather than the
    one that has a license. PostgreSQL does, some minutes later.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text(f"PRAGMA analysis_limit={LOOKED_AT}"))
    session.execute(text("ANALYZE"))
    session.commit()
