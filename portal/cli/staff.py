"""keydesk staff: the people who may sign in."""

import sys

import click
from email_validator import EmailNotValidError
from flask import current_app
from flask.cli import AppGroup
from flask_security.recoverable import generate_reset_password_token

from portal import emails, smtp
from portal.cli.pages import page_or_fail
from portal.extensions import db
from portal.models import Role, Staff
from portal.models.staff import one_form_of, read_address

staff = AppGroup("staff", help="Give people access, and take it away.")


@staff.command("add")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="An agent sees the orders of their checkout pages, an operator all.",
)
@click.option(
    "--page",
    "codes",
    multiple=True,
    metavar="CODE",
    help="A checkout page of the agent's; can be given several times.",
)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Take the password from standard input, and mail nothing.",
)
def add(email: str, role: str, codes: tuple[str, ...], password_stdin: bool) -> None:
    """Let EMAIL sign in, and mail a link to choose a password.

    For somebody who has access already, this sets role and checkout pages anew.
    """
    address = _address(email)
    if role == Role.AGENT and not codes:
        raise click.UsageError("An agent needs at least one --page.")
    if role == Role.OPERATOR and codes:
        raise click.UsageError("An operator sees all checkout pages: leave --page out.")
    pages = [page_or_fail(code) for code in dict.fromkeys(codes)]
    password = _read_password() if password_stdin else None
    person = Staff.by_email(address)
    was_there = person is not None and person.active
    if person is None:
        person = Staff(email=address)
        db.session.add(person)
    person.role, person.checkout_pages, person.active = Role(role), pages, True
    if password:
        person.set_password(password)
    db.session.commit()
    click.echo(f"{address} is now an {person.role}.")
    if not password and not was_there:
        _invite(person)


@staff.command("remove")
@click.argument("email")
def remove(email: str) -> None:
    """End the access of EMAIL at once. The history keeps the name."""
    person = _person_or_fail(email)
    person.remove()
    db.session.commit()
    click.echo(f"{person.email} has no access any more.")


@staff.command("token")
@click.argument("email")
def token(email: str) -> None:
    """Print a fresh token for EMAIL, which signs requests to the API; a former one ends.

    It is shown this once and cannot be found out again. Send it as 'Authorization: Bearer …'. It is
    good until there is another, or until EMAIL is removed: another password leaves it as it is.
    """
    fresh = _person_or_fail(email).renew_token()
    db.session.commit()
    click.echo(fresh)


@staff.command("list")
def show_all() -> None:
    """List the people who may sign in."""
    query = db.select(Staff).where(Staff.active).order_by(Staff.email)
    for person in db.session.scalars(query).unique():
        codes = " ".join(page.code for page in person.checkout_pages)
        click.echo(f"{person.email}\t{person.role}\t{'all pages' if person.sees_all else codes}")


def _person_or_fail(email: str) -> Staff:
    person = Staff.by_email(email)
    if person is None or not person.active:
        raise click.ClickException(f"Nobody with the address {email} has access.")
    return person


def _address(email: str) -> str:
    try:
        read_address(email)
    except EmailNotValidError as error:
        raise click.BadParameter(str(error), param_hint="EMAIL") from None
    return one_form_of(email)


def _read_password() -> str:
    try:  # in UTF-8, which is how a browser sends it, whatever the terminal's locale
        password = sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.ClickException("The password is not UTF-8.") from None
    least: int = current_app.config["SECURITY_PASSWORD_LENGTH_MIN"]
    if len(password) < least:
        raise click.ClickException(f"The password needs at least {least} characters.")
    return password


def _invite(person: Staff) -> None:
    token = generate_reset_password_token(person)  # type: ignore[no-untyped-call]
    link = emails.password_link(token)
    outcome = smtp.hand_over(emails.invitation_email(person, link))
    if outcome.accepted:
        click.echo(f"A link to choose a password was mailed to {person.email}.")
        return
    was = "could not be" if outcome.accepted is False else "may or may not have been"
    reason = outcome.failure.sentence if outcome.failure else "Nobody knows why."
    raise click.ClickException(
        f"The access is there, but the link {was} mailed. {reason} "
        "Then run the command again with --password-stdin, or use “Forgotten your password?”."
    )
