"""A portal to be measured: an instance folder, a database, orders, and an agent who may sign in."""

import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import flask_migrate
from flask_security import hash_password

from bench import orders
from portal import create_app
from portal.cli.init import write_instance_file
from portal.config import INSTANCE_FILE
from portal.extensions import db
from portal.models import CheckoutPage, Role, Staff
from tests.support.postgres import Cluster

AGENT = "agent@bench.example"
PASSWORD = "correct horse battery staple"

# As durable as PostgreSQL is by itself; memory as its manual proposes for a small server.
POSTGRESQL_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
}


@dataclass(frozen=True)
class Installation:
    """A filled portal: `folder` is its instance folder, `uri` its database ('' for SQLite)."""

    folder: Path
    uri: str
    orders: int

    @property
    def environment(self) -> dict[str, str]:
        """What the portal's processes find in their environment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
        database = {"FLASK_SQLALCHEMY_DATABASE_URI": self.uri} if self.uri else {}
        return kept | database | {"KEYDESK_INSTANCE": str(self.folder)}

    @property
    def is_filled(self) -> bool:
        """Whether a run has brought all orders in."""
        return self._record.exists()

    @property
    def import_seconds(self) -> float:
        """How long the import took when the portal was filled."""
        return float(json.loads(self._record.read_text())["seconds"])

    @property
    def _record(self) -> Path:
        return self.folder / "filled.json"

    def fill(self) -> None:
        """Bring the orders in. Where a former run has done it, bring the tables up to date."""
        if self.is_filled:
            self._keydesk("db", "upgrade")
            return
        rmtree(self.folder, ignore_errors=True)  # of a run that was broken off
        with self.without_orders():
            file = import_file(self.folder.parent, self.orders)
        started = time.perf_counter()
        self._keydesk("orders", "import", str(file))
        self._record.write_text(json.dumps({"seconds": time.perf_counter() - started}))

    def _keydesk(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "portal", *arguments]
        subprocess.run(command, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    @contextmanager
    def without_orders(self) -> Iterator[None]:
        """Make the portal with its checkout pages and the agent; inside, its application runs."""
        write_instance_file(self.folder)
        settings = tomllib.loads((self.folder / INSTANCE_FILE).read_text())
        uri = self.uri or f"sqlite:///{self.folder}/keydesk.db"
        app = create_app(settings | {"SQLALCHEMY_DATABASE_URI": uri})
        with app.app_context():
            flask_migrate.upgrade()
            pages = [CheckoutPage(code=code, title=title) for code, title in orders.PAGES.items()]
            theirs = [page for page in pages if page.code in orders.AGENTS_PAGES]
            password = hash_password(PASSWORD)
            agent = Staff(email=AGENT, role=Role.AGENT, password=password, checkout_pages=theirs)
            db.session.add_all([*pages, agent])
            db.session.commit()
            yield
            db.session.remove()
            db.engine.dispose()


def import_file(data: Path, count: int) -> Path:
    """The import file with `count` orders in the folder `data`, written unless it is there."""
    path = data / f"orders-{count}.jsonl"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            file.writelines(orders.lines(count))
        unfinished.rename(path)
    return path


@contextmanager
def filled(data: Path, kind: str, *counts: int) -> Iterator[list[Installation]]:
    """A portal on the database `kind` ('sqlite' or 'postgresql') for each number of orders.

    What they consist of is kept in the folder `data`, for the next run.
    """
    data.mkdir(exist_ok=True)
    if kind == "sqlite":
        portals = [Installation(data / f"sqlite-{count}", "", count) for count in counts]
        for portal in portals:
            portal.fill()
        yield portals
        return
    folder = data / "postgresql"
    folder.mkdir(exist_ok=True)
    cluster = Cluster.start(folder, POSTGRESQL_SETTINGS)
    try:
        yield [_on_postgresql(data, cluster, count) for count in counts]
    finally:
        cluster.close()
        cluster.stop("fast")


def _on_postgresql(data: Path, cluster: Cluster, count: int) -> Installation:
    name = f"orders_{count}"
    portal = Installation(data / f"postgresql-{count}", cluster.uri(name), count)
    was_filled = portal.is_filled
    if not was_filled:
        cluster.drop(name)
        cluster.create(name)
    portal.fill()
    if not was_filled:
        # What autovacuum does some minutes after an import: those who measure do not wait for it.
        with cluster.connect(name) as connection:
            connection.execute("VACUUM ANALYZE")
    return portal
