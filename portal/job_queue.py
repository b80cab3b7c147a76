"""Where jobs wait for a worker: Huey's queue, in PostgreSQL or in a file beside SQLite's."""

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Any

import psycopg
from huey import Huey
from huey.serializer import SignedSerializer
from huey.storage import PostgresStorage, SqliteStorage
from psycopg.errors import UniqueViolation

log = logging.getLogger(__name__)

FAILURES = (sqlite3.Error, psycopg.Error)
# Seconds from one look at a database that is gone to the next.
PAUSE = 1.0


def open_queue(uri: str, secret: str) -> "JobQueue":
    """The queue that belongs to the database at `uri`; who does not know `secret` puts nothing into
    it that a worker would take for a job."""
    serializer = SignedSerializer(secret, salt="keydesk jobs")
    if uri.startswith("postgresql"):
        return _in_postgres(uri.replace("postgresql+psycopg", "postgresql"), serializer)
    # Beside the database, in a file of its own: the worker's polling takes no lock of the portal's.
    path = Path(uri.removeprefix("sqlite:///")).with_suffix(".jobs.db")
    return JobQueue("keydesk", QueueFile, serializer, filename=str(path))


class QueueFile(SqliteStorage):  # type: ignore[misc]
    """The queue in a file. What it forgets in a power cut the sweep finds again, so no job waits
    for the disk."""

    def _create_connection(self) -> Any:
        connection = super()._create_connection()
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection


class JobQueue(Huey):  # type: ignore[misc]
    """Huey's queue, which takes a failure of its database for what it is: it says so when that
    begins and when it ends, and has the worker wait in between."""

    def __init__(
        self, name: str, storage: type, serializer: SignedSerializer, **settings: object
    ) -> None:
        self._is_gone = False
        self._noting = Lock()
        super().__init__(
            name, storage_class=storage, serializer=serializer, results=False, **settings
        )

    def dequeue(self) -> Any:
        """The next job, or None."""
        try:
            message = self.storage.dequeue()
        except FAILURES as error:
            self._note(error)
            sleep(PAUSE)
            return None
        self._note(None)
        return None if message is None else self._job_in(message)

    def read_schedule(self, timestamp: datetime | None = None) -> list[Any]:
        """The jobs whose time has come."""
        try:
            messages = self.storage.read_schedule(timestamp or self._get_timestamp())
        except FAILURES as error:
            self._note(error)
            return []
        return [job for job in map(self._job_in, messages) if job]

    def read_periodic(self, timestamp: datetime | None) -> Sequence[Any]:
        """What is to be done each minute; nothing where it could not be queued."""
        return [] if self._is_gone else super().read_periodic(timestamp)

    def _job_in(self, message: bytes) -> Any:
        """The job of a message. One that a former version queued, or somebody else, is dropped:
        what it may have been about, the sweep finds."""
        try:
            return self.deserialize_task(message)
        except Exception as error:
            log.warning("A job was dropped that is none of ours (%s)", type(error).__name__)
            return None

    def _note(self, failure: Exception | None) -> None:
        with self._noting:
            was_gone, self._is_gone = self._is_gone, failure is not None
        if failure and not was_gone:
            reason = f"{failure}".partition("\n")[0]
            log.error("The queue cannot be read, and jobs wait until it can: %s", reason)
        if was_gone and not failure:
            log.error("The queue can be read again")


def _in_postgres(dsn: str, serializer: SignedSerializer) -> JobQueue:
    for _others_at_it in range(10):
        try:
            return JobQueue("keydesk", PostgresStorage, serializer, dsn=dsn)
        except UniqueViolation:  # what is made "if it does not exist" may be made twice at once
            continue
    return JobQueue("keydesk", PostgresStorage, serializer, dsn=dsn)
