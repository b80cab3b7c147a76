# ruff: noqa: S608 - the statements here are made of the names of our own tables and columns
"""How many rows get into a table at once; SQLAlchemy's own ways take three times as long.

A row is a dict of columns, and all rows of a call have the same ones: there are no defaults here.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

import psycopg
from sqlalchemy import Column, Connection, Dialect, Table, func, select
from sqlalchemy.exc import DBAPIError

from portal.database.types import UTCDateTime
from portal.extensions import Model, db

Row = dict[str, Any]
Values = tuple[Any, ...]
Processor = Callable[[Any], Any]

MOST_PARAMETERS = 32_766  # of one statement on SQLite; PostgreSQL takes twice as many
WORTH_COPYING = 50  # rows; fewer are quicker by an ordinary statement


def insert_many(model: type[Model], rows: list[Row]) -> None:
    """Insert `rows`. Raises sqlalchemy.exc.DBAPIError."""
    if not rows:
        return
    table, connection = _table(model), db.session.connection()
    names, values = list(rows[0]), _values(_table(model), rows, connection.dialect)
    if _is_worth_copying(connection, rows):
        _copy(connection, f"{table.name} ({', '.join(names)})", values)
    else:
        _insert(connection, f"{table.name} ({', '.join(names)})", values)


def insert_or_lock(model: type[Model], rows: list[Row]) -> set[int]:
    """Insert `rows` where their ids are not there yet, and lock the rows that are there already
    until the transaction ends; returns the ids that were inserted.

    One row after the other, as they stand: whoever sorts them by id waits for others that do, and
    never in a circle. An id that somebody is just inserting is waited for, and is then there
    already, or is not. On SQLite whoever writes is alone anyway. Raises sqlalchemy.exc.DBAPIError.
    """
    if not rows:
        return set()
    table, connection = _table(model), db.session.connection()
    names, values = ", ".join(rows[0]), _values(_table(model), rows, connection.dialect)
    # The update never happens, but PostgreSQL locks the row before it asks whether it should.
    otherwise = " ON CONFLICT (id) DO UPDATE SET id = excluded.id WHERE false RETURNING id"
    if not _is_worth_copying(connection, rows):
        return set(_insert(connection, f"{table.name} ({names})", values, otherwise))
    incoming = f"incoming_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} ON COMMIT DELETE ROWS"
        f" AS SELECT {names} FROM {table.name} WITH NO DATA"
    )
    connection.exec_driver_sql(f"DELETE FROM {incoming}")  # of a part that was written before
    _copy(connection, f"{incoming} ({names})", values)
    inserted = connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {incoming} ORDER BY id{otherwise}"
    )
    return set(inserted.scalars().all())


def new_ids(model: type[Model], count: int) -> Iterator[int]:
    """So many ids for new rows, which nobody else gets until the transaction ends."""
    table = _table(model)
    if db.session.connection().dialect.name == "sqlite":
        last = db.session.scalar(select(func.max(table.c.id))) or 0
        return iter(range(last + 1, last + 1 + count))
    sequence = func.pg_get_serial_sequence(table.name, "id")
    rows = func.generate_series(1, count).table_valued("number")
    return iter(db.session.scalars(select(func.nextval(sequence)).select_from(rows)).all())


def _insert(
    connection: Connection, columns: str, values: list[Values], otherwise: str = ""
) -> list[int]:
    """As few statements as it can be done with: SQLite's index of words is written once for each.
    Returns what they return."""
    one = "(" + ", ".join([_placeholder(connection)] * len(values[0])) + ")"
    step = MOST_PARAMETERS // len(values[0])
    returned: list[int] = []
    for start in range(0, len(values), step):
        part = values[start : start + step]
        places = ", ".join([one] * len(part))
        found = connection.exec_driver_sql(
            f"INSERT INTO {columns} VALUES {places}{otherwise}", tuple(chain.from_iterable(part))
        )
        returned += found.scalars().all() if otherwise else ()
    return returned


def _copy(connection: Connection, columns: str, values: list[Values]) -> None:
    driver: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {columns} FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
    except psycopg.Error as error:  # SQLAlchemy knows nothing of this statement
        refusal = DBAPIError.instance("COPY", None, error, psycopg.Error, hide_parameters=True)
        raise refusal from None


def _values(table: Table, rows: list[Row], dialect: Dialect) -> list[Values]:
    """The rows as the driver takes them."""
    columns = list(zip(*map(itemgetter(*rows[0]), rows), strict=True))
    for index, name in enumerate(rows[0]):
        if process := _processor(table.c[name], dialect):
            columns[index] = tuple(map(process, columns[index]))
    return list(zip(*columns, strict=True))


def _processor(column: Column[Any], dialect: Dialect) -> Processor | None:
    """What makes a value of `column` one that the driver takes; None where it is one already."""
    if isinstance(column.type, UTCDateTime):
        return _time_processor(dialect)
    return column.type.dialect_impl(dialect).bind_processor(dialect)


@lru_cache
def _time_processor(dialect: Dialect) -> Processor | None:
    """The same for times, of which an order has few and says them often."""
    process = UTCDateTime().dialect_impl(dialect).bind_processor(dialect)
    return lru_cache(maxsize=4096)(process) if process else None


def _is_worth_copying(connection: Connection, rows: list[Row]) -> bool:
    return connection.dialect.name == "postgresql" and len(rows) >= WORTH_COPYING


def _placeholder(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


def _table(model: type[Model]) -> Table:
    return model.metadata.tables[model.__tablename__]
