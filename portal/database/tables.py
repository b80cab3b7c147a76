# ruff: noqa: S608 - the statements here are made of the names of our own tables and columns
"""How many rows get into a table at once; SQLAlchemy's own ways take three times as long.

A row is a dict of columns, and all rows of a call have the same ones: there are no defaults here.
`rows_of` makes `Rows` of them: plain values, which go from one process to another cheaply.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Dialect, Table, func, select

from portal.database.statements import copy_rows
from portal.database.types import UTCDateTime
from portal.extensions import Model, db

Row = dict[str, Any]
Values = tuple[Any, ...]
Processor = Callable[[Any], Any]

MOST_PARAMETERS = 32_766  # of one statement on SQLite; PostgreSQL takes twice as many
WORTH_COPYING = 50  # rows; fewer are quicker by an ordinary statement


class Rows(NamedTuple):
    """Rows of one table as its driver takes them: the names of their columns, and their values."""

    names: tuple[str, ...]
    values: list[Values]

    @classmethod
    def joined(cls, parts: "Sequence[Rows]") -> "Rows":
        """All rows of `parts`."""
        names = next((part.names for part in parts if part.values), ())
        return cls(names, [row for part in parts for row in part.values])

    def having(self, name: str, column: Iterable[Any]) -> "Rows":
        """The same rows with one more column of this `name`."""
        values = [(*row, value) for row, value in zip(self.values, column, strict=True)]
        return Rows((*self.names, name), values)


def rows_of(model: type[Model], rows: list[Row]) -> Rows:
    """Rows of the table of `model` as the driver of our database takes them."""
    (taken,) = rows_of_each(model, [rows], db.session.connection().dialect)
    return taken


def rows_of_each(model: type[Model], groups: list[list[Row]], dialect: Dialect) -> list[Rows]:
    """The same of groups of rows, each as the driver of `dialect` takes it."""
    rows = list(chain.from_iterable(groups))
    if not rows:
        return [Rows((), []) for _group in groups]
    table, names = _table(model), tuple(rows[0])
    columns = list(zip(*map(itemgetter(*names), rows), strict=True))
    for index, name in enumerate(names):
        if process := _processor(table.c[name], dialect):
            columns[index] = tuple(map(process, columns[index]))
    values = zip(*columns, strict=True)
    return [Rows(names, list(islice(values, len(group)))) for group in groups]


def insert_many(model: type[Model], rows: Rows) -> None:
    """Insert `rows`. Raises sqlalchemy.exc.DBAPIError."""
    if not rows.values:
        return
    connection = db.session.connection()
    columns = f"{_table(model).name} ({', '.join(rows.names)})"
    if _is_worth_copying(connection, rows):
        copy_rows(connection, columns, rows.values)
    else:
        _insert(connection, columns, rows.values)


def insert_or_lock(model: type[Model], rows: Rows) -> set[int]:
    """Insert `rows` where their ids are not there yet, and lock the rows that are there already
    until the transaction ends; returns the ids that were inserted.

    One row after the other, as they stand: whoever sorts them by id waits for others that do, and
    never in a circle. An id that somebody is just inserting is waited for, and is then there
    already, or is not. On SQLite whoever writes is alone anyway. Raises sqlalchemy.exc.DBAPIError.
    """
    if not rows.values:
        return set()
    table, connection, names = _table(model), db.session.connection(), ", ".join(rows.names)
    # The update never happens, but PostgreSQL locks the row before it asks whether it should.
    otherwise = " ON CONFLICT (id) DO UPDATE SET id = excluded.id WHERE false RETURNING id"
    if not _is_worth_copying(connection, rows):
        return set(_insert(connection, f"{table.name} ({names})", rows.values, otherwise))
    incoming = f"incoming_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} ON COMMIT DELETE ROWS"
        f" AS SELECT {names} FROM {table.name} WITH NO DATA"
    )
    connection.exec_driver_sql(f"DELETE FROM {incoming}")  # of a part that was written before
    copy_rows(connection, f"{incoming} ({names})", rows.values)
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


def _is_worth_copying(connection: Connection, rows: Rows) -> bool:
    return connection.dialect.name == "postgresql" and len(rows.values) >= WORTH_COPYING


def _placeholder(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


def _table(model: type[Model]) -> Table:
    return model.metadata.tables[model.__tablename__]
