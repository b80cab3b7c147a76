"""keydesk worker: obtains licenses and sends e-mails, in a process of its own."""

import logging

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.cli.serve import LOG
from portal.consumer import GentleConsumer
from portal.extensions import db
from portal.jobs import jobs
from portal.supervision import end_with_supervisor


@click.command()
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    help="Things that it does at once.  [default: the setting WORKER_THREADS]",
)
@with_appcontext
def worker(threads: int | None) -> None:
    """Obtain licenses and send e-mails. 'keydesk serve' runs one of these as well."""
    end_with_supervisor()
    logging.basicConfig(format=LOG)
    db.session.remove()  # the threads have sessions of their own
    current_app.config["WORKER_THREADS"] = threads or current_app.config["WORKER_THREADS"]
    GentleConsumer(jobs().huey, current_app.config["WORKER_THREADS"]).run()
