"""The queue: made by whoever comes first, and never in the way of what puts something into it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from portal import create_app, jobs
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
