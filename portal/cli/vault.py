"""keydesk vault: the keys of the licenses at rest."""

import sys
from collections.abc import Sequence
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import undefer

from portal.cli.init import new_key
from portal.cli.progress import progress
from portal.extensions import db
from portal.models import PageSecret, Product, ReceivedMessage
from portal.sealed import LICENSES, MANY, SavedRow, Texts
from portal.vault import Unreadable
from portal.vault import vault as the_vault

BATCH = 1_000
NAMED = 20  # of those that are unreadable: where a key is missing, all are
FEW = 50  # messages may be of a mebibyte each

# What is sealed besides licenses, and knows its `place`.
Sealed = PageSecret | ReceivedMessage | Product
OTHERS: tuple[type[Sealed], ...] = (PageSecret, ReceivedMessage, Product)

vault = AppGroup("vault", help="The keys of the licenses at rest.")


@vault.command("rotate")
@click.pass_context
def rotate(ctx: click.Context) -> None:
    """Seal every license under the first of VAULT_KEYS, and renew what finds it.

    So are the secrets of checkout pages, the settings of products and the messages that came. Can
    be interrupted and run again, and the portal can be used meanwhile. Once it has ended well, the
    older keys can go.
    """
    unreadable = sum(_seal_many(texts) for texts in MANY)
    others = sum(_seal_others(model) for model in OTHERS)
    if others:
        click.echo(f"{others} secrets, settings or messages are unreadable.")
    if unreadable or others:
        ctx.exit(1)


@vault.command("new-key")
def new() -> None:
    """Print a fresh key, to be put in front of VAULT_KEYS."""
    click.echo(new_key())


def _seal_many(texts: Texts) -> int:
    """Seal all texts of one table under the newest key; says how many of them are unreadable."""
    total = db.session.scalar(select(func.count()).select_from(texts.table)) or 0
    done, unreadable, last_id = 0, 0, 0
    with progress(f"Sealing {texts.noun}", total) as advance:
        while batch := _batch_after(texts, last_id):
            sealed = [_seal_again(texts, saved) for saved in batch]
            _write(texts, [row for row in sealed if row])
            lost = [saved for saved, row in zip(batch, sealed, strict=True) if row is None]
            for saved in lost[: max(NAMED - unreadable, 0)]:
                print(f"{texts.name(saved)} is unreadable.", file=sys.stderr)
            unreadable += len(lost)
            done, last_id = done + len(batch), batch[-1].id
            advance(len(batch))
    if done or texts is LICENSES:
        click.echo(
            f"{done - unreadable} {texts.noun} are under the newest key, "
            f"{unreadable} are unreadable."
        )
    return unreadable


def _batch_after(texts: Texts, row_id: int) -> Sequence[SavedRow]:
    batch = db.session.execute(texts.rows.where(texts.table.c.id > row_id).limit(BATCH)).all()
    db.session.commit()  # the sealing is done outside of a transaction, so that nobody waits for it
    return batch


def _seal_again(texts: Texts, saved: SavedRow) -> dict[str, object] | None:
    """The columns of one row under the newest key; None when it cannot be read."""
    safe, place = the_vault(), texts.place(saved)
    try:
        text = safe.open(saved.sealed, place)
    except Unreadable:
        return None
    return {
        "old_id": saved.id,
        "old_sealed": saved.sealed,
        "sealed": saved.sealed if safe.is_newest(saved.sealed) else safe.seal(text, place),
        **texts.digests(safe, text),
    }


def _write(texts: Texts, rows: list[dict[str, object]]) -> None:
    """Write rows anew, but for those that somebody else has written since they were read."""
    table = texts.table
    same = (table.c.id == bindparam("old_id")) & (table.c.sealed == bindparam("old_sealed"))
    if rows:
        db.session.connection().execute(update(table).where(same), rows)
        db.session.commit()


def _seal_others(model: type[Sealed]) -> int:
    """Seal every row of `model` under the newest key; says how many of them are unreadable."""
    unreadable, last_id = 0, 0
    while rows := _rows_after(model, last_id):
        last_id = rows[-1].id
        unreadable += [_is_sealed_again(row) for row in rows].count(False)
        db.session.commit()
        db.session.expunge_all()
    db.session.commit()
    return unreadable


def _rows_after(model: type[Sealed], last_id: int) -> Sequence[Any]:
    query = (
        select(model)
        .options(undefer(model.sealed))
        .where(model.id > last_id, model.sealed.is_not(None))
        .order_by(model.id)
        .limit(FEW)
        .with_for_update(of=model)
    )
    return db.session.scalars(query).all()


def _is_sealed_again(row: Sealed) -> bool:
    safe = the_vault()
    if row.sealed is None or safe.is_newest(row.sealed):
        return True
    try:
        row.sealed = safe.seal(safe.open(row.sealed, row.place), row.place)
    except Unreadable:
        print(f"{type(row).__name__} {row.id} is unreadable.", file=sys.stderr)
        return False
    return True
