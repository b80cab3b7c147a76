"""keydesk serve: the portal for real, under gunicorn."""

import errno
import gc
import socket
from collections.abc import Callable
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from gunicorn.app.base import BaseApplication

from portal import create_app
from portal.database import count_what_is_there
from portal.extensions import db
from portal.models import outbox

# The path without what follows the question mark, which may hold what customers are called.
ACCESS_LOG = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'

SETTINGS: dict[str, Any] = {
    # As long as gunicorn allows: the address of a search may have 8,000 characters.
    "limit_request_line": 8190,
    "worker_class": "gthread",
    "timeout": 60,
    "graceful_timeout": 20,
    "keepalive": 30,
    "access_log_format": ACCESS_LOG,
    "errorlog": "-",
}


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with `SETTINGS`, `options` and without a file of its own."""

    def __init__(self, make_app: Callable[[], Flask], **options: object) -> None:
        self._make_app, self._options = make_app, SETTINGS | options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        app = self._make_app()
        # What stays for good is never looked through for rubbish, which would hold a request up
        # for 100 ms.
        gc.freeze()
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
@with_appcontext
def serve(host: str, port: int, workers: int, threads: int, access_log: bool) -> None:
    """Serve the portal. Put a reverse proxy with TLS in front of it."""
    _refuse_taken(host, port)
    lost = outbox.settle_lost()
    if lost:
        click.echo(f"{lost} deliveries were under way when the portal ended; see their orders.")
    count_what_is_there(db.session())  # a portal that grew without an import needs it as well
    db.session.remove()
    db.engine.dispose()  # no connection is shared with the processes to come
    address = f"[{host}]" if ":" in host else host
    Server(
        create_app,
        bind=[f"{address}:{port}"],
        workers=workers,
        threads=threads,
        accesslog="-" if access_log else None,
        loglevel="warning" if current_app.config["DEMO"] else "info",
    ).run()


def _refuse_taken(host: str, port: int) -> None:
    """gunicorn would try for five seconds, and say so on ten lines."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(
                f"The port {port} of {host} is taken; choose another with --port."
            ) from None
        raise click.ClickException(f"Nobody can listen on {host}: {error.strerror}.") from None
