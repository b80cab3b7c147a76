"""keydesk pools: lists of licenses that items take the next unused one from."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import click
from flask.cli import AppGroup

from portal.cli.progress import progress
from portal.cli.settings import given, one_line_about
from portal.extensions import db
from portal.jobs import jobs
from portal.models import CheckoutPage, Pool, PoolUpload, Product, Refused, Tool
from portal.pools import products, uploads
from portal.pools.findings import Findings, Kind
from portal.pools.reading import FileError, Shape, is_encoding
from portal.pools.staging import Staging

pools = AppGroup("pools", help="Add pools of licenses, fill them, and see what is left.")


OPTIONS = {"title": "TITLE", "threshold": "--threshold", "warn_to": "--warn"}


@pools.command("add")
@click.argument("title")
@click.option("--threshold", metavar="NUMBER", help="Stock to be warned at.")
@click.option("--warn", "warn_to", metavar="ADDRESS", help="Who is mailed at the threshold.")
def add(title: str, **wanted: str | None) -> None:
    """Add the pool TITLE."""
    try:
        with one_line_about(OPTIONS):
            pool = Pool.add(title, by=None, **given(**wanted))
    except Refused as refused:
        raise click.ClickException(refused.refusal.sentence) from None
    db.session.commit()
    click.echo(f"Added the pool {pool.title}.")


@pools.command("show")
def show() -> None:
    """Show each pool: its title, what is free and used, how long it lasts, its threshold."""
    for pool in Pool.all():
        days = "" if pool.days_left is None else f", {pool.days_left} days left"
        click.echo(
            f"{pool.title}\t{pool.stock} free, {pool.used} used{days}, threshold {pool.threshold}"
        )


@pools.command("upload")
@click.argument("file", type=click.File("rb"))
@click.option("--pool", "title", metavar="TITLE", help="Which pool to fill.")
@click.option("--product", metavar="ID", help="Or the product whose pool to fill.")
@click.option("--page", metavar="CODE", help="The checkout page of the product.")
@click.option("--separator", metavar="LINE", help="What stands between licenses of several lines.")
@click.option("--csv-column", metavar="NAME", help="The column of a CSV file, or its number.")
@click.option("--no-header", is_flag=True, help="The CSV file does not begin with names.")
@click.option("--encoding", metavar="NAME", help="Where the file is not UTF-8 and does not say so.")
@click.option("--dry-run", is_flag=True, help="Only say what is in the file.")
@click.option("--yes", is_flag=True, help="Do not ask before the licenses go in.")
def upload(
    *,
    file: BinaryIO,
    title: str | None,
    product: str | None,
    page: str | None,
    separator: str | None,
    csv_column: str | None,
    no_header: bool,
    encoding: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Put the licenses of FILE (- for standard input) into a pool, one a line.

    What is blank, is there already or was sold already is left out. Nothing can be used before you
    have confirmed what was found; then all of it can.
    """
    if encoding and not is_encoding(encoding):
        raise click.BadParameter("there is no such encoding", param_hint="--encoding")
    shape = Shape(separator, csv_column, not no_header, encoding)
    pool = _pool(title, product, page)
    with _seekable(file) as source:
        if dry_run:
            _print(_look(pool, source, shape))
            return
        done = _read(pool, source, Path(file.name).name, shape)
    _print(Findings.load(done.report))
    _confirm(done, yes)


def _pool(title: str | None, product: str | None, page: str | None) -> Pool:
    if (title is None) == (product is None):
        raise click.UsageError("Say which pool: either --pool or --product.")
    if title is not None:
        pool = Pool.by_title(title.strip())
        if pool is None:
            raise click.ClickException(f"There is no pool {title}.")
        return pool
    return _pool_of(str(product), page)


def _pool_of(code: str, page: str | None) -> Pool:
    query = db.select(Product).join(Product.checkout_page).where(Product.code == code)
    if page is not None:
        query = query.where(CheckoutPage.code == page)
    found = db.session.scalars(query).all()
    if not found:
        raise click.ClickException(f"There is no product {code}.")
    if len(found) > 1:
        pages = ", ".join(sorted(product.checkout_page.code for product in found))
        raise click.ClickException(f"Several checkout pages have it ({pages}): say --page.")
    pool_id = products.pool_id_of(found[0]) if found[0].tool is Tool.POOL else None
    pool = db.session.get(Pool, pool_id) if pool_id is not None else None
    if pool is None:
        raise click.ClickException(f"The product {code} does not get its licenses from a pool.")
    return pool


def _seekable(file: BinaryIO) -> BinaryIO:
    """`file`, or a copy of it without a name where it is a pipe."""
    with suppress(OSError):
        if file.seekable() and os.fstat(file.fileno()).st_size:
            return file
    copy = TemporaryFile()  # noqa: SIM115 - the caller closes it
    shutil.copyfileobj(file, copy)
    copy.seek(0)
    return copy


def _look(pool: Pool, file: BinaryIO, shape: Shape) -> Findings:
    try:
        with progress("Looking", os.fstat(file.fileno()).st_size) as advance:
            return Staging(pool.id).run(file, shape, advance)
    except FileError as error:
        raise click.ClickException(str(error)) from None


def _read(pool: Pool, file: BinaryIO, name: str, shape: Shape) -> PoolUpload:
    try:
        begun = uploads.begin(pool, name, by=None)
    except Refused as refused:
        raise click.ClickException(refused.refusal.in_full) from None
    with progress("Reading", os.fstat(file.fileno()).st_size) as advance:
        uploads.read(begun.id, file, shape, advance)
    if not begun.waits:
        raise click.ClickException(begun.complaint or "The upload was discarded meanwhile.")
    return begun


def _print(findings: Findings) -> None:
    for kind in Kind:
        if count := findings.counts[kind]:
            lines = ", ".join(str(line) for line in findings.lines[kind])
            more = ", …" if count > len(findings.lines[kind]) else ""
            where = "" if kind is Kind.NEW else f" (lines {lines}{more})"
            click.echo(f"{count:>9,}  {kind.sentence}{where}")


def _confirm(done: PoolUpload, yes: bool) -> None:
    question = f"Put {done.size:,} licenses into the pool {done.pool.title}?"
    if done.publish_refusal() or not (yes or (sys.stdin.isatty() and click.confirm(question))):
        uploads.discard(done)
        raise click.ClickException(
            "Nothing was put into the pool."
            if yes or not done.size or sys.stdin.isatty()
            else "Nothing was put into the pool: say --yes where nobody can be asked."
        )
    for fulfilment_id in uploads.publish(done, by=None):
        jobs().fulfil(fulfilment_id)
    click.echo(
        f"{done.size:,} licenses are in the pool {done.pool.title}, which has "
        f"{done.pool.stock:,} free."
    )
