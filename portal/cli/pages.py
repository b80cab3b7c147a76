"""keydesk pages: the checkout pages that orders come from."""

import sys
from collections.abc import Callable
from functools import reduce
from typing import Any

import click
from flask.cli import AppGroup

from portal.cli.settings import given, one_line_about
from portal.extensions import db
from portal.languages import LANGUAGES
from portal.models import CheckoutPage, Hook, PageSecret, Refused

pages = AppGroup("pages", help="Add checkout pages, and change their settings.")

OPTIONS = {
    "code": "CODE",
    "title": "--title",
    "sender": "--sender",
    "reply_to": "--reply-to",
    "vendor_email": "--vendor-email",
    "delivery_note": "--note",
    "mails_per_minute": "--mails-per-minute",
    "languages": "--languages",
}


def _split(
    _context: click.Context, _parameter: click.Parameter, words: str | None
) -> list[str] | None:
    if words is None:
        return None
    return [word.strip() for word in words.split(",")] if words else list(LANGUAGES)


def settings(command: Callable[..., None]) -> Callable[..., None]:
    """The options that adding and changing a page share; "" takes a setting back."""
    options = [
        click.option("--sender", metavar="ADDRESS", help="Where its mail comes from."),
        click.option("--reply-to", metavar="ADDRESS", help="Where its customers' answers go."),
        click.option(
            "--vendor-email", metavar="ADDRESS", help="Who is told of what went wrong for good."
        ),
        click.option(
            "--languages",
            callback=_split,
            metavar="LIST",
            help=f"Such as de,en: in which languages its mail goes ({','.join(LANGUAGES)}); "
            "customers of other languages get the first.",
        ),
        click.option(
            "--mails-per-minute", metavar="NUMBER", help="How many e-mails leave a minute at most."
        ),
        click.option("--note", "delivery_note", help="Why delivery is forbidden, for staff."),
    ]
    return reduce(lambda decorated, option: option(decorated), reversed(options), command)


@pages.command("add")
@click.argument("code")
@click.option("--title", required=True, help="What staff and customers call it.")
@click.option("--no-delivery", is_flag=True, help="Forbid the sending of licenses for now.")
@settings
def add(code: str, no_delivery: bool, **wanted: Any) -> None:
    """Add the checkout page CODE (small letters, digits and hyphens).

    Without a sender its mail comes from the address in MAIL_DEFAULT_SENDER.
    """
    if CheckoutPage.by_code(code):
        raise click.ClickException(f"There is a checkout page {code} already.")
    with one_line_about(OPTIONS):
        CheckoutPage.add(code, by=None, delivery_allowed=not no_delivery, **given(**wanted))
    db.session.commit()
    click.echo(f"Added the checkout page {code}.")


@pages.command("set")
@click.argument("code")
@click.option("--title", help="What staff and customers call it.")
@click.option(
    "--delivery/--no-delivery", default=None, help="Allow or forbid the sending of licenses."
)
@settings
def change(code: str, delivery: bool | None, **wanted: Any) -> None:
    """Change the checkout page CODE; "" takes a setting back."""
    page = page_or_fail(code)
    changes = given(delivery_allowed=delivery, **wanted)
    if not changes:
        raise click.UsageError("Say what to change, see 'keydesk pages set --help'.")
    with one_line_about(OPTIONS):
        page.change(by=None, **changes)
    db.session.commit()
    click.echo(f"{page.code}: {page.title}, {_settings(page)}.")


@pages.command("secret")
@click.argument("code")
@click.option(
    "--for",
    "hook",
    type=click.Choice([hook.value for hook in Hook]),
    required=True,
    help="Messages to /hooks/CODE, or those of Noventiq Checkout to /hooks/CODE/noventiq.",
)
@click.option("--value-stdin", is_flag=True, help="Take the secret from standard input.")
@click.option("--retire", is_flag=True, help="End the older of two, and add none.")
def secret(code: str, hook: str, value_stdin: bool, retire: bool) -> None:
    """Print a fresh secret that messages to the checkout page CODE are signed with.

    It is shown this once and cannot be found out again. A page has two at most: add the new one,
    give it to the sender, and then end the older with --retire.
    """
    if retire and value_stdin:
        raise click.UsageError("Say either --retire or --value-stdin.")
    page = page_or_fail(code)
    if retire:
        _retire_older(page, Hook(hook))
        return
    text = _read_secret() if value_stdin else None
    try:
        fresh = PageSecret.add(page, Hook(hook), text, by=None)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    except Refused as refused:
        raise click.ClickException(refused.refusal.in_full) from None
    db.session.commit()
    click.echo(f"Added a secret to {code}." if value_stdin else fresh)


def _read_secret() -> str:
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.ClickException("The secret is not UTF-8.") from None


def _retire_older(page: CheckoutPage, hook: Hook) -> None:
    secrets = PageSecret.of(page, hook)
    if len(secrets) < 2:
        raise click.ClickException(
            f"{page.code} has no second secret for {hook}: add the new one first."
        )
    secrets[0].retire(by=None)
    db.session.commit()
    click.echo(f"Ended the older secret of {page.code} for {hook}.")


@pages.command("list")
def show_all() -> None:
    """List the checkout pages."""
    for page in CheckoutPage.all():
        click.echo(f"{page.code}\t{page.title}\t{_settings(page)}")


def _settings(page: CheckoutPage) -> str:
    delivery = "delivery allowed" if page.delivery_allowed else "delivery forbidden"
    return f"{delivery}, mail from {page.sender or 'the default address'}"


def page_or_fail(code: str) -> CheckoutPage:
    """The checkout page of this code, or one line that says there is none."""
    page = CheckoutPage.by_code(code)
    if page is None:
        raise click.ClickException(f"There is no checkout page {code}.")
    return page
