"""The command line: one file for each group of commands."""

import os
import sys
from typing import Any, NoReturn

import click
from click.exceptions import NoArgsIsHelpError
from flask import Flask
from flask.cli import FlaskGroup
from sqlalchemy.exc import DBAPIError

from portal import create_app
from portal.cli import (
    bounces,
    database,
    demo,
    init,
    orders,
    pages,
    pools,
    products,
    serve,
    staff,
    vault,
    worker,
)
from portal.cli.failures import one_line


class Portal(FlaskGroup):
    """The commands of Keydesk alone, without those that Flask and its extensions would add."""

    def _load_plugin_commands(self) -> None:
        self._loaded_plugin_commands = True

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.commands)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return self.commands.get(name)


def _make_app() -> Flask:
    return create_app()


cli: Any = Portal(
    name="keydesk",
    create_app=_make_app,
    add_default_commands=False,
    set_debug_flag=False,
    load_dotenv=False,
    help="Keydesk: find orders, send licenses again, and see what became of each e-mail.",
    context_settings={"max_content_width": 100},
)
cli.params = []  # those of Flask: which application to load, and how
for command in (
    init.init,
    database.database,
    pages.pages,
    products.products,
    staff.staff,
    orders.orders,
    pools.pools,
    bounces.bounces,
    vault.vault,
    serve.serve,
    worker.worker,
    demo.demo,
):
    cli.add_command(command)


def main() -> None:
    """The console script `keydesk`: bad input ends in one line and exit code 1 or 2."""
    os.umask(0o077)  # a database has addresses and passwords in it, and is nobody else's to read
    try:
        sys.exit(cli.main(prog_name="keydesk", standalone_mode=False))
    except NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _end(error, error.exit_code)
    except click.Abort:
        _end(click.ClickException("interrupted"), 1)
    except UnicodeEncodeError as error:  # of bytes that are no text: Python takes them as they are
        odd = error.object[error.start : error.end]
        _end(click.ClickException(f"{odd!r} cannot be written in {error.encoding}."), 1)
    except (DBAPIError, OSError) as error:
        _end(error, 1)


def _end(error: Exception, code: int) -> NoReturn:
    click.echo(f"Error: {one_line(error)}", err=True)
    sys.exit(code)
