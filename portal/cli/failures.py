"""What has gone wrong, in one line for whoever runs a command."""

import click
from sqlalchemy.exc import DBAPIError

from portal.database.failures import has_no_room


def one_line(error: Exception) -> str:
    """What to say of `error`. What only a programmer could make something of is named, and not
    quoted: it may hold what nobody is to see."""
    if isinstance(error, click.ClickException):
        message = error.format_message()
    elif isinstance(error, DBAPIError):
        first_line = (str(error.orig).strip() or type(error.orig).__name__).splitlines()[0]
        message = f"the database: {first_line} ({_advice(error, first_line)})"
    elif isinstance(error, OSError):
        message = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    else:
        message = type(error).__qualname__
    return " ".join(message.split())


def _advice(error: DBAPIError, message: str) -> str:
    if has_no_room(error):
        return "make room there, and run it again"
    if "no such table" in message or "does not exist" in message:
        return "has 'keydesk db upgrade' been run?"
    return "see SQLALCHEMY_DATABASE_URI"
