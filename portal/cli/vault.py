"""keydesk vault: the keys of the licenses at rest."""

import click
from flask.cli import AppGroup
from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager

from portal.cli.init import new_key
from portal.extensions import db
from portal.models import License
from portal.vault import Unreadable
from portal.vault import vault as the_vault

BATCH = 1_000

vault = AppGroup("vault", help="The keys of the licenses at rest.")


@vault.command("rotate")
@click.pass_context
def rotate(ctx: click.Context) -> None:
    """Seal every license under the first of VAULT_KEYS, and renew what finds it.

    Can be interrupted and run again. Once it has ended well, the older keys can go.
    """
    total = db.session.scalar(select(func.count(License.id))) or 0
    unreadable, last_id = 0, 0
    with click.progressbar(length=total, label="Sealing") as bar:
        while batch := _batch_after(last_id):
            unreadable += sum(not _seal_again(license) for license in batch)
            last_id = batch[-1].id
            db.session.commit()
            db.session.expunge_all()
            bar.update(len(batch))
    click.echo(
        f"{total - unreadable} licenses are under the newest key, {unreadable} are unreadable."
    )
    if unreadable:
        ctx.exit(1)


@vault.command("new-key")
def new() -> None:
    """Print a fresh key, to be put in front of VAULT_KEYS."""
    click.echo(new_key())


def _batch_after(license_id: int) -> list[License]:
    query = (
        select(License)
        .join(License.item)
        .options(contains_eager(License.item))
        .where(License.id > license_id)
        .order_by(License.id)
        .limit(BATCH)
        .with_for_update(of=License)
    )
    return list(db.session.scalars(query))


def _seal_again(license: License) -> bool:
    """Seal one license under the newest key; False when it cannot be read."""
    safe, place = (
        the_vault(),
        License.place(license.item.order_id, license.item.ref, license.position),
    )
    try:
        text = safe.open(license.sealed, place)
    except Unreadable:
        click.echo(
            f"License {license.id} of order {license.item.order_id} is unreadable.", err=True
        )
        return False
    if not safe.is_newest(license.sealed):
        license.sealed = safe.seal(text, place)
    license.digest, license.tail_digest = safe.digest(text), safe.tail_digest(text)
    return True
