"""Two people at the same settings: what one of them saved is not put back by the other's form.

A page with a form tells, for each field, what the field held when the page was drawn. When the form
comes back, a field that nobody touched in it takes what was saved meanwhile; one that both changed
is complained of, and the person decides.
"""

import json
from hashlib import blake2b
from typing import Any, Self

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, SelectFieldBase


class SharedForm(FlaskForm):  # type: ignore[misc]
    """A form of what others may change at the same time."""

    seen = HiddenField()

    def __init__(self, *, as_kept: bool = False, **options: Any) -> None:
        """Filled with what was sent with the request, or with what is kept."""
        super().__init__(**({"formdata": None} if as_kept else {}), **options)

    def kept(self) -> Self:
        """The same form with what is saved now, which nobody changes until the transaction ends."""
        raise NotImplementedError

    @property
    def shared_fields(self) -> list[Field]:
        """Those that hold what is saved."""
        return [field for field in self if field.name not in ("csrf_token", "seen")]

    def mark(self) -> None:
        """Have the page tell what the fields hold, unless it came back with what they held. To be
        called once the fields are filled."""
        if self.seen.raw_data is None:
            self.seen.data = " ".join(
                f"{field.name}:{_mark(field)}" for field in self.shared_fields
            )

    def take_over(self) -> bool:
        """Take what others have saved since the page was drawn. False where that was in fields that
        were changed here to something else: they say so, and win if they are sent again."""
        seen = _marks(self.seen.data or "")
        mine = [field for field in self.shared_fields if self._has_changed(field, seen)]
        kept, complained = self.kept(), False
        for field, theirs in zip(self.shared_fields, kept.shared_fields, strict=True):
            if seen.get(field.name, _mark(theirs)) == _mark(theirs):
                continue
            if field not in mine:
                field.data, field.raw_data = theirs.data, None
            elif _mark(field) != _mark(theirs):
                field.errors = [*field.errors, _saved_meanwhile(theirs)]
                complained = True
        self.seen.data = kept.seen.data
        return not complained

    def _has_changed(self, field: Field, seen: dict[str, str]) -> bool:
        return _mark(field) != seen.get(field.name)


def _marks(seen: str) -> dict[str, str]:
    return {name: mark for name, _sign, mark in (part.partition(":") for part in seen.split())}


def _mark(field: Field) -> str:
    """A few letters for what a field holds."""
    digest = blake2b(json.dumps(_in_one_form(field.data)).encode(), digest_size=6)
    return digest.hexdigest()


def _in_one_form(data: Any) -> Any:
    """The same for what is kept and for what a browser makes of it: text, in any order."""
    if isinstance(data, dict):
        return sorted(data.items())
    return sorted(data) if isinstance(data, list) else str(data or "")


def _saved_meanwhile(field: Field) -> str:
    return _(
        "Somebody saved something else meanwhile. Save again to replace it:\n%(value)s",
        value=_in_words(field) or _("nothing"),
    )


def _in_words(field: Any) -> str:
    if isinstance(field, BooleanField):
        return _("yes") if field.data else _("no")
    if isinstance(field, SelectFieldBase):
        return ", ".join(
            str(text) for _value, text, chosen, _more in field.iter_choices() if chosen
        )
    return str(field._value())
