"""The queue: made by whoever comes first, and never in the way of what puts something into it."""

import os
import pickle
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from huey.registry import Message
from huey.signals import SIGNAL_ENQUEUED

from portal import create_app, jobs
from portal.extensions import db
from portal.models import Fulfilment, ProductText, Tool
from tests.people import bring_in, item_document, order_document
from tests.support.application import dispose_of, ordinary_settings


@pytest.mark.parametrize("empty_database", ["sqlite", "postgresql"], indirect=True)
def test_eight_processes_that_start_at_once_share_one_queue(empty_database):
    app = create_app(ordinary_settings() | {"SQLALCHEMY_DATABASE_URI": empty_database.uri})
    queues = [jobs.Jobs(app) for _process in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda queue: queue.fulfil(1), queues))
    assert queues[0].huey.pending_count() == 8
    for queue in queues:
        queue.close()
    dispose_of(app)


def test_what_cannot_be_queued_is_left_to_the_sweep(app, caplog, database):
    storage = jobs.jobs().huey.storage
    table = "task" if database.kind == "sqlite" else "huey_task"
    storage.sql(f"ALTER TABLE {table} RENAME TO gone", commit=True)
    jobs.jobs().fulfil(1)
    storage.sql(f"ALTER TABLE gone RENAME TO {table}", commit=True)
    assert "could not be queued" in caplog.text


class Forged:
    """Runs a command when it is read."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.fixture
def forged(tmp_path):
    """What somebody puts into the queue who can write to its table, and the file that it makes."""
    mark = tmp_path / "executed"
    return pickle.dumps(Forged(f"touch {mark}")), mark


def of_a_former_version():
    return pickle.dumps(Message("1", "huey.api.fulfil", args=(1,), kwargs={}))


@pytest.mark.parametrize("later", [False, True])
def test_what_others_put_into_the_queue_is_dropped_and_not_executed(queue, caplog, forged, later):
    content, mark = forged
    jobs.jobs().fulfil(1)
    queue.flush()
    for message in (content, of_a_former_version(), b"", b"no:job"):
        if later:
            queue.storage.add_to_schedule(message, queue._get_timestamp())
        else:
            queue.storage.enqueue(message)
    jobs.jobs().fulfil(7)
    if later:
        assert queue.read_schedule() == []
    found = [queue.dequeue() for _message in range(1 if later else 5)]
    assert [job.args for job in found if job] == [(7,)]
    assert caplog.text.count("A job was dropped") == 4
    assert "Traceback" not in caplog.text
    assert not mark.exists()
    pickle.loads(content)  # noqa: S301 - as it would have been
    assert mark.exists()


@pytest.fixture
def locked(queue, database):
    """Of each job that is queued, whether somebody keeps the others from writing meanwhile."""
    found = []

    @queue.signal(SIGNAL_ENQUEUED)
    def look(_signal, _job):
        other = sqlite3.connect(database.uri.removeprefix("sqlite:///"), timeout=0)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            found.append(True)
        else:
            found.append(False)
        other.close()

    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_is_kept_from_writing_while_jobs_are_queued(acme, queue, locked, mail_server):
    mail_server(at="CONNECT", does="refuse")
    item = item_document(codes=(), product={"id": "1", "name": "By e-mail"})
    (begun,) = Fulfilment.begin(bring_in(order_document(items=[item])))
    begun.product.tool = Tool.INFORMATION
    ProductText.write(begun.product, "en", subject="", body="Thank you.", by=None)
    db.session.commit()
    jobs.sweep()
    assert locked == [False]
    jobs.fulfil(begun.id)
    assert locked == [False, False]
    assert [job.args for job in queue.pending()] == [(begun.id,), (1,)]
