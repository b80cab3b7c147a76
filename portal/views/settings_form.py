"""What the forms of settings have in common: what the model says is shown beside its field."""

from collections.abc import Mapping

from flask_wtf import FlaskForm
from wtforms import Field


class SettingsForm(FlaskForm):  # type: ignore[misc]
    """Its fields are named as the settings are, and check nothing that the model checks."""

    def complain(self, complaints: Mapping[str, str]) -> None:
        """Show each complaint of an Unsound beside the field that it is about."""
        for name, sentence in complaints.items():
            if field := self.field_about(name):
                field.errors = [*field.errors, sentence]
            else:
                self.form_errors.append(sentence)

    def field_about(self, name: str) -> Field | None:
        """The field of the setting `name`, such as 'url' or 'extra_headers.X-Shop'."""
        return self._fields.get(name) or self._fields.get(name.partition(".")[0])
