"""keydesk bounces: e-mails that came back."""

import os
from typing import BinaryIO

import click
from flask.cli import AppGroup

from portal.bounces import LONGEST, NoBounce, take
from portal.cli.failures import one_line

bounces = AppGroup("bounces", help="E-mails that were accepted, and came back.")


class Later(click.ClickException):
    """A mail could not be taken, and may be when the mail server tries it again (sysexits.h)."""

    exit_code = os.EX_TEMPFAIL


class MailCommand(click.Command):
    """Run by a mail server, which answers a failure with an e-mail to whoever the mail says that it
    is from. A failure of ours is none of theirs: the server is to keep the mail."""

    def invoke(self, ctx: click.Context) -> object:
        """As of any command. Raises Later."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            raise Later(one_line(error)) from error


@bounces.command("take", cls=MailCommand)
@click.argument("file", type=click.File("rb"), default="-")
def take_one(file: BinaryIO) -> None:
    """Write down that an e-mail came back, of which the mail in FILE tells.

    Have the mail server hand the mails to your sender's address to it; the README says how. It says
    in one line what became of a mail. It ends well also where the mail tells of nothing that was
    sent; if the database cannot be reached, it ends with 75, and the mail server tries again later.
    """
    mail = file.read(LONGEST)
    while file.read(LONGEST):
        pass  # a mail server might complain of what nobody took
    try:
        delivery = take(mail)
    except NoBounce as reason:
        click.echo(str(reason), err=True)
    else:
        click.echo(f"The e-mail of order {delivery.order.number} came back.")
