"""A PostgreSQL server of our own, started by the first test that needs it, stopped at the end."""

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from shutil import which

import psycopg
import pytest

from tests.support.run import folder_of, one_at_a_time

FOLDERS = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql@*/bin")

# Nothing in here outlives the run, so nothing has to reach the disk.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "jit": "off",  # it changes no plan, and compiles what a few rows are asked
    "autovacuum": "off",  # a plan must not depend on when it last ran
}


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL server on a loopback port; `folder` holds its files."""

    folder: str
    port: int

    def uri(self, name):
        """The address of the database `name` for SQLAlchemy."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def connect(self, name="postgres"):
        """A connection that commits each statement by itself."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=name, autocommit=True
        )

    @cached_property
    def _maintenance(self):
        return self.connect()

    def create(self, name, template="template1"):
        """Make the database `name`, a copy of `template`."""
        self._maintenance.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def drop(self, name):
        """Remove the database `name`, whoever is still connected to it."""
        self._maintenance.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def close(self):
        """End this process's own connection to the server."""
        self._maintenance.close()

    @classmethod
    def start(cls, folder, settings=SETTINGS, port=None):
        """Start the server in `folder`, which is made first where the folder is empty; at `port`
        where it is to be found at the same address again."""
        if os.geteuid() == 0:
            _chown(folder, "postgres")
        data = f"{folder}/data"
        if not Path(data).exists():
            locale = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
            _run("initdb", "--pgdata", data, "--auth=trust", "--username=postgres", "--no-sync",
                 "--encoding=UTF8", f"--locale={locale}")  # fmt: skip
        for _attempt in range(3):  # somebody else may take the port first
            port = port or _free_port()
            options = " ".join(f"-c {key}='{value}'" for key, value in settings.items())
            if _run("pg_ctl", "start", "--wait", "--silent", "--pgdata", data,
                    "--log", f"{folder}/log", "--options", f"-p {port} {options}",
                    check=False).returncode == 0:  # fmt: skip
                return cls(str(folder), port)
        raise RuntimeError(f"PostgreSQL did not start: {Path(folder, 'log').read_text()}")

    def stop(self, mode="immediate"):
        """Stop the server, by the process id it wrote into its own folder."""
        _run("pg_ctl", "stop", "--wait", "--silent", f"--mode={mode}",
             "--pgdata", f"{self.folder}/data")  # fmt: skip


def _run(program, *arguments, check=True):
    # The server refuses to run as root.
    user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    return subprocess.run(
        [_program(program), *arguments],
        check=check,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **(user if os.geteuid() == 0 else {}),
    )


def _program(name):
    def version(path):
        return int(re.search(r"postgresql[@/](\d+)", str(path)).group(1))

    installed = [path for pattern in FOLDERS for path in Path("/").glob(f"{pattern[1:]}/{name}")]
    return max(installed, key=version, default=None) or which(name)


def _chown(folder, user):
    from pwd import getpwnam

    entry = getpwnam(user)
    os.chown(folder, entry.pw_uid, entry.pw_gid)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def cluster(shared_folder):
    """The PostgreSQL server of this run, shared by all its processes."""
    if not _program("initdb"):
        pytest.skip("PostgreSQL is not installed")
    with one_at_a_time(shared_folder / "postgres.lock"):
        record = _record(shared_folder)
        if not record.exists():
            folder = shared_folder / "postgres"
            folder.mkdir()
            record.write_text(json.dumps(asdict(Cluster.start(folder))))
    cluster = Cluster(**json.loads(record.read_text()))
    yield cluster
    cluster.close()


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        record = _record(folder_of(config))
        if record.exists():
            Cluster(**json.loads(record.read_text())).stop()


def _record(shared_folder):
    return shared_folder / "postgres.json"
