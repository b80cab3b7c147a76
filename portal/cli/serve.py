"""keydesk serve: the portal for real, gunicorn for the pages and a worker beside it."""

import gc
import logging
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from portal import create_app
from portal.cli.listening import listen, loopback_or_fail
from portal.config import FIXED
from portal.database.statements import count_what_is_there
from portal.extensions import db
from portal.models import outbox
from portal.supervision import Part, end_with_supervisor, run_together

# The path without what follows the question mark, which may hold what customers are called.
ACCESS_LOG = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'

# What follows is good for a new password, until it was used once or for three days.
RESET = f"{FIXED['SECURITY_RESET_URL']}/"

# What may stand in a path (RFC 3986, 3.3).
IN_PATHS = "/-._~!$&'()*+,;=:@"

LOG = "%(asctime)s %(levelname)s %(name)s: %(message)s"

SETTINGS: dict[str, Any] = {
    # As long as gunicorn allows: the address of a search may have 8,000 characters.
    "limit_request_line": 8190,
    "worker_class": "gthread",
    "timeout": 60,
    "graceful_timeout": 20,
    "keepalive": 30,
    "access_log_format": ACCESS_LOG,
    "errorlog": "-",
    # It would stand in the home of whoever runs the portal, one for all portals of theirs.
    "control_socket_disable": True,
}


class AccessLog(Logger):  # type: ignore[misc]
    """Writes a path as it came, so that nobody writes lines of their own, and leaves out of it what
    lets whoever reads the log choose somebody's password."""

    def atoms(self, *request: Any) -> dict[str, Any]:
        """The parts of a line."""
        parts: dict[str, Any] = super().atoms(*request)
        path = quote(str(parts["U"]).encode("latin-1", "replace"), safe=IN_PATHS)  # PEP 3333
        return parts | {"U": f"{RESET}…" if path.startswith(RESET) else path}


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with `SETTINGS`, `options` and without a file of its own."""

    def __init__(self, make_app: Callable[[], Flask], **options: object) -> None:
        self._make_app, self._options = make_app, SETTINGS | options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)
        self.cfg.set("logger_class", AccessLog)

    def load(self) -> Flask:
        app = self._make_app()
        app.config["DESK_THREADS"] = self.cfg.threads
        # What stays for good is never looked through for rubbish, which would hold a request up
        # for 100 ms; and what a page makes is looked through once or twice, not thirty times.
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        return app


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--workers",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes; each answers several requests at once.",
)
@click.option(
    "--threads",
    default=4,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Requests that one process answers at once.",
)
@click.option("--access-log/--no-access-log", default=True, show_default=True)
@click.option(
    "--worker/--no-worker",
    "with_worker",
    default=True,
    show_default=True,
    help="Obtain licenses and send e-mails as well; without it, run 'keydesk worker'.",
)
@click.option("--fd", type=int, hidden=True, help="A socket that is listening already.")
@with_appcontext
def serve(
    *,
    host: str,
    port: int,
    workers: int,
    threads: int,
    access_log: bool,
    with_worker: bool,
    fd: int | None,
) -> None:
    """Serve the portal. Put a reverse proxy with TLS in front of it."""
    end_with_supervisor()
    if current_app.config["DEMO"]:
        loopback_or_fail(host)
    listener = listen(host, port) if fd is None else socket.socket(fileno=fd)
    if fd is None or with_worker:  # or the process that started this one has done it
        _look_after()
    if with_worker:
        _serve_with_worker(listener, workers, threads, access_log)
        return
    db.engine.dispose()  # no connection is shared with the processes to come
    Server(
        create_app,
        bind=[f"fd://{listener.detach()}"],
        workers=workers,
        threads=threads,
        accesslog="-" if access_log else None,
        loglevel=_loglevel(),
    ).run()


def _look_after() -> None:
    """What is to be done once before the portal starts."""
    lost = outbox.settle_lost()
    if lost:
        click.echo(
            f"Deliveries that were under way when the portal ended: {len(lost)}. See their orders."
        )
    count_what_is_there(db.session())  # a portal that grew without an import needs it as well
    db.session.remove()


def _serve_with_worker(
    listener: socket.socket, workers: int, threads: int, access_log: bool
) -> None:
    """Run both as processes of their own. The socket stays open here while one of them starts
    again: who asks meanwhile waits a moment, and is not turned away."""
    db.engine.dispose()
    fd = listener.fileno()
    options = [f"--fd={fd}", f"--workers={workers}", f"--threads={threads}"]
    options.append("--access-log" if access_log else "--no-access-log")
    parts = [Part("worker"), Part("serve", "--no-worker", *options, files=(fd,))]
    logging.basicConfig(format=LOG)
    logging.getLogger("portal.supervision").setLevel(_loglevel().upper())
    run_together(parts, listener)


def _loglevel() -> str:
    return "warning" if current_app.config["DEMO"] else "info"
