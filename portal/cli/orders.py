"""keydesk orders: bring orders in, and look at one."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import click
from flask.cli import AppGroup

from portal.cli.progress import progress
from portal.database.statements import count_what_is_there
from portal.export import order_document
from portal.extensions import db
from portal.intake.ahead import look_for_rubbish_rarely
from portal.intake.jsonl import Import
from portal.intake.lines import lines_of
from portal.models import Order

STEP = 256 * 1024  # bytes between two moves of the progress bar

orders = AppGroup("orders", help="Bring orders in, and look at one.")


@orders.command("import")
@click.argument("file", type=click.File("rb"))
@click.pass_context
def bring_in(ctx: click.Context, file: BinaryIO) -> None:
    """Bring in the orders of FILE (- for standard input), one order document a line.

    An order that is there already is brought up to date; its licenses, deliveries and history
    stay. A bad line is reported and skipped, and the rest goes in; the exit code is then 1. A run
    that was broken off can simply be started again.
    """
    size = os.fstat(file.fileno()).st_size if file.seekable() else None
    run = Import()
    look_for_rubbish_rarely()
    with progress("Importing", size) as advance:
        for number, complaint in run.run(_counted(lines_of(file), advance)):
            print(f"{file.name}:{number}: {complaint}", file=sys.stderr)
    count_what_is_there(db.session())
    words = ("imported", "updated", "unchanged", "rejected")
    click.echo(", ".join(f"{run.counts[word]} {word}" for word in words))
    if run.counts["rejected"]:
        ctx.exit(1)


def _counted(lines: Iterable[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    read = 0
    for line in lines:
        yield line
        read += len(line)
        if read > STEP:
            advance(read)
            read = 0
    advance(read)


@orders.command("show")
@click.argument("number")
def show(number: str) -> None:
    """Show the order NUMBER as JSON, without its licenses."""
    order_id = Order.id_of(number)
    order = db.session.get(Order, order_id) if order_id is not None else None
    if order is None:
        raise click.ClickException(f"There is no order {number}.")
    document = order_document(order)
    for item in document["items"]:
        for license in item["licenses"]:
            del license["text"]  # a terminal's contents are kept, and shown to others
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
