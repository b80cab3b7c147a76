"""The forms of the pages of pools, which stand on one page."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, EmailField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import Length, ValidationError
from wtforms.widgets import NumberInput

from portal.models import Pool
from portal.pools.reading import Shape, is_encoding
from portal.views.settings_form import SharedSettingsForm

WAYS = {
    "lines": lazy_gettext("One license a line"),
    "separator": lazy_gettext("Several lines, and a separator line between licenses"),
    "csv": lazy_gettext("A column of a CSV file"),
}


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class PoolForm(SharedSettingsForm):
    """The settings of a pool, or of one to come, see PoolSettings."""

    title = StringField(lazy_gettext("Title"))
    threshold = StringField(
        lazy_gettext("Warn when so many licenses are left"), widget=NumberInput(), default="0"
    )
    warn_to = EmailField(lazy_gettext("Whom to warn"))

    def __init__(self, pool: Pool | None = None, *, as_kept: bool = False) -> None:
        super().__init__(pool, as_kept=as_kept)
        self.mark()


class UploadForm(FlaskForm):  # type: ignore[misc]
    """A file, and how to read it."""

    file = FileField(
        lazy_gettext("File"), validators=[FileRequired(lazy_gettext("Choose a file."))]
    )
    way = SelectField(
        lazy_gettext("How the file is made"),
        choices=[SelectChoice(value, label) for value, label in WAYS.items()],
        default="lines",
    )
    separator = StringField(
        lazy_gettext("Separator line"), default="---", validators=[Length(max=100)]
    )
    column = StringField(
        lazy_gettext("Column of the CSV file, its name or number"), validators=[Length(max=100)]
    )
    has_header = BooleanField(lazy_gettext("The first line names the columns"), default=True)
    encoding = StringField(
        lazy_gettext("Encoding, where the file is not UTF-8 and does not say so"),
        filters=[_stripped],
        validators=[Length(max=40)],
    )

    def validate_separator(self, field: StringField) -> None:
        if self.way.data == "separator" and not (field.data or "").strip():
            raise ValidationError(_("Say what stands between two licenses."))

    def validate_column(self, field: StringField) -> None:
        if self.way.data == "csv" and not (field.data or "").strip():
            raise ValidationError(_("Say which column has the licenses."))

    def validate_encoding(self, field: StringField) -> None:
        if field.data and not is_encoding(field.data):
            raise ValidationError(_("There is no such encoding."))

    @property
    def shape(self) -> Shape:
        """How to read the file."""
        way = self.way.data
        return Shape(
            separator=str(self.separator.data).strip() if way == "separator" else None,
            column=str(self.column.data).strip() if way == "csv" else None,
            has_header=self.has_header.data,
            encoding=self.encoding.data or None,
        )
