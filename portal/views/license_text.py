"""The field in which staff enter a license."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import Field, Form, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

# What a person enters; a license that a vendor sends may be longer.
LONGEST = 10_000


def license_field(**options: Any) -> TextAreaField:
    """A license, of one line or several, trimmed at both ends."""
    return TextAreaField(
        filters=[as_entered],
        validators=[
            InputRequired(lazy_gettext("Enter the license.")),
            Length(max=LONGEST, message=lazy_gettext("This is too long.")),
            _without_nul,
        ],
        **options,
    )


def as_entered(text: str | None) -> str:
    """`text` with the line ends that were typed: a form sends others (HTML, 4.10.21)."""
    return (text or "").replace("\r\n", "\n").strip()


def _without_nul(_form: Form, field: Field) -> None:
    if not field.data:
        raise ValidationError(_("Enter the license."))
    if "\0" in field.data:
        raise ValidationError(_("This has a character that no license has."))
