"""What the two databases are asked in ways of their own."""

from enum import IntEnum
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
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


def count_what_is_there(session: Session) -> None:
    """Have the database look how its rows are spread, by which it plans statements, and commit.

    SQLite never does by itself, and without it reads every order of a checkout page rather than the
    one that has a license. PostgreSQL does, some minutes later.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text(f"PRAGMA analysis_limit={LOOKED_AT}"))
    session.execute(text("ANALYZE"))
    session.commit()
