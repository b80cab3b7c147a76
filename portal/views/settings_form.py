"""What the forms of settings have in common: what the model says is shown beside its field."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import Form, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

from portal.views.shared_form import SharedForm


class SettingsForm(FlaskForm):  # type: ignore[misc]
    """Its fields are named as the settings are, and check nothing that the model checks."""

    @property
    def typed(self) -> dict[str, Any]:
        """What the fields hold, by their names."""
        own = ("csrf_token", "seen")
        return {name: value for name, value in self.data.items() if name not in own}

    def complain(self, complaints: Mapping[str, str]) -> None:
        """Show each complaint of an Unsound beside the field that it is about."""
        complain(self, complaints)


class SharedSettingsForm(SettingsForm, SharedForm):
    """Of settings that others may change at the same time."""


def choices(names: Mapping[str, Any]) -> list[SelectChoice]:
    """What can be chosen, from its names by its values."""
    return [SelectChoice(value, name) for value, name in names.items()]


class Lines(TextAreaField):
    """Names and values, one pair in a line, parted by `sign`; `data` is a dictionary."""

    data: Any

    def __init__(self, label: str, *, sign: str, **options: Any) -> None:
        super().__init__(label, **options)
        self.sign = sign

    def process_data(self, value: Mapping[str, str] | None) -> None:
        self.data = dict(value or {})

    def process_formdata(self, valuelist: list[str]) -> None:
        lines = [line for text in valuelist for line in text.splitlines() if line.strip()]
        pairs = [line.partition(self.sign) for line in lines]
        self.data = {name.strip(): value.strip() for name, _sign, value in pairs}
        if not all(sign and name.strip() for name, sign, _value in pairs):
            raise ValueError(_("Write a name, %(sign)s and a value in each line.", sign=self.sign))
        if len(self.data) < len(pairs):
            raise ValueError(_("A name is there twice."))

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        gap = " " if self.sign == ":" else ""
        return "\n".join(f"{name}{self.sign}{gap}{value}" for name, value in self.data.items())


def complain(form: Form, complaints: Mapping[str, str]) -> None:
    """Show each complaint beside the field of `form` that it is about, such as 'url' or
    'extra_headers.X-Shop', and what is about none of them above the form."""
    for name, sentence in complaints.items():
        head, _dot, part = name.partition(".")
        own = form._fields.get(f"{head}_{part}")
        if field := own or form._fields.get(head):
            said = f"{part}: {sentence}" if part and not own else sentence
            field.errors = [*field.errors, said]
        else:
            form.form_errors.append(sentence)
