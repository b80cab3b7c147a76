"""The worker while its database is away, or has no room left: it says so, waits, and goes on."""

import signal
from contextlib import contextmanager

import pytest

from tests.people import add_page
from tests.support.application import dispose_of
from tests.support.databases import Database, migrate
from tests.support.postgres import SETTINGS, Cluster
from tests.support.running_portal import wait_until
from tests.test_worker import begin, is_over

# What was committed outlives the server's own end.
DURABLE = SETTINGS | {"synchronous_commit": "on"}


@pytest.fixture
def own_cluster(shared_folder, worker):
    """A PostgreSQL server that no other test uses."""
    folder = shared_folder / f"own_{worker}"
    folder.mkdir()
    cluster = Cluster.start(folder, DURABLE)
    yield cluster
    cluster.stop()


@pytest.fixture
def database(own_cluster):
    own_cluster.create("keydesk")
    own_cluster.close()
    migrate(own_cluster.uri("keydesk"), with_queue=True)
    return Database("postgresql", own_cluster.uri("keydesk"))


@contextmanager
def running(keydesk, output):
    """A worker that complains to the file `output`."""
    with keydesk.start("worker", stderr=output) as process:
        try:
            yield process
        finally:
            process.kill()


def lines_of(file):
    return file.read_text().splitlines()


def test_a_worker_outlives_its_database(app, own_cluster, keydesk, mailbox, tmp_path):
    add_page("acme", "Acme Store")
    said = tmp_path / "said"
    with said.open("w") as output, running(keydesk, output) as process:
        begin("A0001111111")
        mailbox.wait_for(1, seconds=30)
        wait_until(is_over)
        dispose_of(app)

        own_cluster.stop()
        wait_until(lambda: lines_of(said))
        Cluster.start(own_cluster.folder, DURABLE, own_cluster.port)
        begin("A0002222222")
        mailbox.wait_for(2, seconds=30)
        wait_until(is_over)
        wait_until(lambda: len(lines_of(said)) > 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert len(mailbox.messages) == 2
    gone, back = lines_of(said)
    assert "The queue cannot be read" in gone
    assert "The queue can be read again" in back
