"""The two databases. A test that asks for `database`, directly or not, runs once on each.

One that is about one of them says so:
`@pytest.mark.parametrize("database", ["sqlite"], indirect=True)`.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import copyfile, disk_usage
from tempfile import TemporaryDirectory

import pytest
from psycopg import sql

from tests.support.application import dispose_of, ordinary_settings
from tests.support.run import one_at_a_time

KINDS = ["sqlite", "postgresql"]

# Where SQLite's files are in memory, so that no test waits for the disk when it commits.
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
ENOUGH = 2**30


@dataclass(frozen=True)
class Database:
    """A database for one test: `kind` is 'sqlite' or 'postgresql', `uri` is its address."""

    kind: str
    uri: str


@pytest.fixture(params=KINDS)
def database(request):
    """A database with today's tables and nothing in them."""
    return request.getfixturevalue(f"_{request.param}_database")


@pytest.fixture(params=KINDS)
def empty_database(request, tmp_path, worker):
    """A database without any table, for tests of migrations."""
    if request.param == "sqlite":
        yield Database("sqlite", f"sqlite:///{tmp_path}/empty.db")
    else:
        cluster = request.getfixturevalue("cluster")
        cluster.create(f"empty_{worker}")
        yield Database("postgresql", cluster.uri(f"empty_{worker}"))
        cluster.drop(f"empty_{worker}")


@pytest.fixture
def _sqlite_database(migrated_file):
    in_memory = MEMORY.is_dir() and disk_usage(MEMORY).free > ENOUGH  # a container may have little
    with TemporaryDirectory(prefix="keydesk-test-", dir=MEMORY if in_memory else None) as folder:
        copyfile(migrated_file, f"{folder}/keydesk.db")
        yield Database("sqlite", f"sqlite:///{folder}/keydesk.db")


@pytest.fixture
def _postgresql_database(migrated_copy):
    migrated_copy.empty()
    return Database("postgresql", migrated_copy.uri)


@pytest.fixture(scope="session")
def migrated_file(shared_folder):
    file = shared_folder / "migrated.db"
    with one_at_a_time(shared_folder / "migrated.db.lock"):
        if not file.exists():
            unfinished = file.with_suffix(".unfinished")
            migrate(f"sqlite:///{unfinished}")
            unfinished.rename(file)
    return file


@pytest.fixture(scope="session")
def migrated_copy(cluster, shared_folder, worker):
    """This process's own copy of the database that one process migrated for all."""
    done = shared_folder / "postgres.migrated"
    with one_at_a_time(shared_folder / "postgres.migrated.lock"):
        if not done.exists():
            cluster.drop("migrated")
            cluster.create("migrated")
            migrate(cluster.uri("migrated"), with_queue=True)  # they are emptied as well
            done.touch()
    cluster.create(worker, template="migrated")
    copy = _MigratedCopy(cluster, worker)
    yield copy
    copy.close()


class _MigratedCopy:
    """A migrated PostgreSQL database that is emptied before each test.

    Six times quicker than a new copy of the template for each test, or than TRUNCATE.
    """

    def __init__(self, cluster, name):
        self.uri = cluster.uri(name)
        self._connection = cluster.connect(name)

    def empty(self):
        """Remove every row, start the ids at 1 again, and end what a former test left open."""
        self._connection.execute(self._statement, prepare=False)

    def close(self):
        self._connection.close()

    @cached_property
    def _statement(self):
        tables = self._names(
            "SELECT tablename FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        sequences = self._names("SELECT sequencename FROM pg_sequences")
        return sql.SQL("; ").join(
            [
                sql.SQL(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ),
                sql.SQL("SET session_replication_role = replica"),  # deletes in any order
                *(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in tables),
                *(sql.SQL("SELECT setval({}, 1, false)").format(name) for name in sequences),
            ]
        )

    def _names(self, query):
        return [name for (name,) in self._connection.execute(query)]


def migrate(uri, *, with_queue=False):
    """Bring the database at `uri` up to date, with the portal's own migrations; `with_queue` makes
    the tables of the queue too, which otherwise come with its first use."""
    from flask_migrate import upgrade

    from portal import create_app
    from portal.jobs import jobs

    app = create_app(ordinary_settings() | {"SQLALCHEMY_DATABASE_URI": uri})
    with app.app_context():
        upgrade()
        if with_queue:
            jobs().huey  # noqa: B018 - brings its tables along
    dispose_of(app)
