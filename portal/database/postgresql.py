"""How a connection to PostgreSQL is seen to be alive, and which plans it keeps."""

from collections.abc import Sequence
from functools import cached_property
from select import POLLIN, poll
from typing import Any, TypeVar

from psycopg import Cursor, OperationalError
from psycopg.pq.abc import PGresult
from sqlalchemy import Dialect, Engine, Executable, event, select
from sqlalchemy.engine.interfaces import ExceptionContext, ExecutionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

Question = TypeVar("Question", bound=Executable)

# The option of a statement that is planned once, see `planned_once`.
PLANNED_ONCE = "keydesk_planned_once"

# What an OperationalError says when no statement will be answered on its connection any more,
# although it may look open: that the server ends (operator, crash), or nothing, as the error came
# from libpq rather than from the server.
UNUSABLE = {"57P01", "57P02", None}

# Uses after which psycopg prepares a statement that does not ask for it.
NEVER = 2**31 - 1

# What PEP 249 has in the description of a column beside name and type.
LEFT_OPEN = (None,) * 5


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


def configure(engine: Engine) -> None:
    """Have each statement planned for what it asks, unless it is `planned_once`: the one plan for
    all questions would read every order to find a rare word.

    Whether a connection is still good is seen without asking the server, which takes as long as a
    look at an order: one that was closed, as those of a server that was started anew, has something
    to be read.
    """
    event.listen(engine, "do_connect", _connecting)
    event.listen(engine, "do_execute", _executing)
    event.listen(engine, "handle_error", _failed)

    @event.listens_for(engine, "checkout")
    def taken(connection: Any, _entry: ConnectionPoolEntry, _proxy: object) -> None:
        if connection.closed or _has_something_to_read(connection):
            _ask_for_life(engine.dialect, connection)


def _connecting(
    _dialect: Dialect, _entry: ConnectionPoolEntry, _args: object, settings: dict[str, object]
) -> None:
    settings.setdefault("prepare_threshold", NEVER)
    settings.setdefault("cursor_factory", NamingCursor)


def _executing(cursor: Any, statement: str, values: Any, context: ExecutionContext) -> bool:
    is_ours: bool = context.execution_options.get(PLANNED_ONCE, False)
    if is_ours:
        cursor.execute(statement, values, prepare=True)
    return is_ours


def _failed(context: ExceptionContext) -> None:
    if isinstance(context.original_exception, OperationalError):
        context.is_disconnect |= context.original_exception.sqlstate in UNUSABLE


class Columns(Sequence[Any]):
    """A name and a type for each column of what was `found`, and nothing else, once somebody asks
    for it."""

    def __init__(self, found: PGresult, encoding: str) -> None:
        self._found, self._encoding = found, encoding

    @cached_property
    def _all(self) -> list[Any]:
        name, type_of, encoding = self._found.fname, self._found.ftype, self._encoding
        places = range(len(self))
        return [((name(at) or b"").decode(encoding), type_of(at), *LEFT_OPEN) for at in places]

    def __len__(self) -> int:
        return self._found.nfields

    def __getitem__(self, place: Any) -> Any:
        return self._all[place]


class NamingCursor(Cursor[Any]):
    """psycopg's, which describes columns to who asks for them: SQLAlchemy does the first time, and
    to describe all of an order's takes psycopg as long as PostgreSQL takes to find it."""

    @property
    def description(self) -> Any:
        """As PEP 249 has it, without what it leaves open."""
        found = self.pgresult
        if found is None or not found.nfields:
            return super().description
        return Columns(found, self.connection.info.encoding)


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
