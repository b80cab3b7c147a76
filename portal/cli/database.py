"""keydesk db: the tables of the database."""

import click
import flask_migrate
from flask.cli import AppGroup

database = AppGroup("db", help="Make the tables, and bring them up to date.")


@database.command("upgrade")
def upgrade() -> None:
    """Make the tables, or bring those of an earlier version up to date.

    To be run before the first start and after each update. What is in them stays.
    """
    flask_migrate.upgrade()
    click.echo("The tables are up to date.")


@database.command("check")
def check() -> None:
    """Fail where the tables are not those that this version of Keydesk works with."""
    flask_migrate.check()
