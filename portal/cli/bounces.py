"""keydesk bounces: e-mails that came back."""

from typing import BinaryIO

import click
from flask.cli import AppGroup

from portal.bounces import NoBounce, take

# A report quotes the e-mail that came back, and no e-mail of ours is as long.
LONGEST = 10 * 1024 * 1024

bounces = AppGroup("bounces", help="E-mails that were accepted, and came back.")


@bounces.command("take")
@click.argument("file", type=click.File("rb"), default="-")
def take_one(file: BinaryIO) -> None:
    """Write down that an e-mail came back, of which the mail in FILE tells.

    Have the mail server hand the mails to your sender's address to it: for Postfix, a line
    'bounces: "|keydesk bounces take"' among the aliases.
    """
    mail = file.read(LONGEST + 1)
    if len(mail) > LONGEST:
        raise click.ClickException("The mail is longer than 10 MiB.")
    try:
        delivery = take(mail)
    except NoBounce as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The e-mail of order {delivery.order.number} came back.")
