"""keydesk pages: the checkout pages that orders come from."""

import sys
from unicodedata import category

import click
from email_validator import EmailNotValidError, validate_email
from flask.cli import AppGroup

from portal.extensions import db
from portal.models import CheckoutPage, Hook, PageSecret, Refused
from portal.models.checkout_page import CODE, SENDER_LENGTH

pages = AppGroup("pages", help="Add checkout pages, and change their settings.")


def _title(_context: click.Context, _parameter: click.Parameter, title: str | None) -> str | None:
    if title is None:
        return None
    title = title.strip()
    if not 1 <= len(title) <= 200:
        raise click.BadParameter("use 1 to 200 characters")
    if any(category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in title):
        raise click.BadParameter("use one line, without control characters")
    return title


def _sender(_context: click.Context, _parameter: click.Parameter, sender: str | None) -> str | None:
    """A checked address; '' stays what it is."""
    if not sender:
        return sender
    try:
        # Its part before the @ is ASCII, or else each mail would need a server with SMTPUTF8.
        checked = validate_email(sender, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise click.BadParameter(str(error)) from None
    if len(checked.normalized) > SENDER_LENGTH or len(checked.ascii_email or "") > SENDER_LENGTH:
        raise click.BadParameter(f"use {SENDER_LENGTH} characters at most")
    return checked.normalized


@pages.command("add")
@click.argument("code")
@click.option("--title", required=True, callback=_title, help="What staff and customers call it.")
@click.option(
    "--sender",
    callback=_sender,
    metavar="ADDRESS",
    help="Where its mail comes from; without it, from the address in MAIL_DEFAULT_SENDER.",
)
@click.option("--no-delivery", is_flag=True, help="Forbid the sending of licenses for now.")
def add(code: str, title: str, sender: str | None, no_delivery: bool) -> None:
    """Add the checkout page CODE (small letters, digits and hyphens)."""
    if not CODE.fullmatch(code):
        raise click.BadParameter(
            "use small letters, digits and hyphens, 63 at most", param_hint="CODE"
        )
    if CheckoutPage.by_code(code):
        raise click.ClickException(f"There is a checkout page {code} already.")
    page = CheckoutPage(
        code=code, title=title, sender=sender or None, delivery_allowed=not no_delivery
    )
    db.session.add(page)
    db.session.commit()
    click.echo(f"Added the checkout page {code}.")


@pages.command("set")
@click.argument("code")
@click.option("--title", callback=_title, help="What staff and customers call it.")
@click.option(
    "--sender",
    callback=_sender,
    metavar="ADDRESS",
    help='Where its mail comes from; "" goes back to the address in MAIL_DEFAULT_SENDER.',
)
@click.option(
    "--delivery/--no-delivery", default=None, help="Allow or forbid the sending of licenses."
)
def change(code: str, title: str | None, sender: str | None, delivery: bool | None) -> None:
    """Change the checkout page CODE."""
    page = page_or_fail(code)
    if title is None and sender is None and delivery is None:
        raise click.UsageError(
            "Say what to change: --title, --sender, --delivery or --no-delivery."
        )
    if title is not None:
        page.title = title
    if sender is not None:
        page.sender = sender or None
    if delivery is not None:
        page.delivery_allowed = delivery
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
        fresh = PageSecret.add(page, Hook(hook), text)
    except ValueError as error:
        raise click.ClickException(f"The secret {error}.") from None
    except Refused as refused:
        refusal = refused.refusal
        raise click.ClickException(f"{refusal.sentence} {refusal.next_step}") from None
    db.session.commit()
    click.echo(f"Added a secret to {code}." if value_stdin else fresh)


def _read_secret() -> str:
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.ClickException("The secret is not UTF-8.") from None


def _retire_older(page: CheckoutPage, hook: Hook) -> None:
    """The only one stays: without it every message would be refused."""
    secrets = PageSecret.of(page, hook)
    if len(secrets) < 2:
        raise click.ClickException(
            f"{page.code} has no second secret for {hook}: add the new one first."
        )
    secrets[0].retire()
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
