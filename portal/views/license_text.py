"""The field in which staff enter a license."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import Field, Form, TextAreaField
from wtforms.validators import InputRequired, ValidationError

from portal.intake.values import LONGEST_LICENSE
from portal.views.entered_text import as_entered


def license_field(**options: Any) -> TextAreaField:
    """A license, of one line or several, trimmed at both ends."""
    return TextAreaField(
        filters=[as_entered],
        validators=[InputRequired(lazy_gettext("Enter the license.")), _is_sound],
        **options,
    )


def unsound(text: str) -> str | None:
    """What is wrong with a license that was entered, for people."""
    if not text:
        return _("Enter the license.")
    if len(text) > LONGEST_LICENSE:
        return _("This is too long.")
    return _("This has a character that no license has.") if "\0" in text else None


def _is_sound(_form: Form, field: Field) -> None:
    if complaint := unsound(field.data):
        raise ValidationError(complaint)
