"""When the database fails: what kind of failure it is, and trying again."""

import logging
import sqlite3
from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

Done = TypeVar("Done")

# How many seconds what is to be written down waits for a database that fails, and from one try to
# the next.
PATIENCE, PAUSE = 180.0, 1.0

# What is raised when the database cannot be used at the moment.
UNAVAILABLE = (OperationalError, InterfaceError, NoConnectionLeft)

# SQLSTATE of class 53, “insufficient resources”.
POSTGRESQL_DISK_FULL = "53100"


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
