"""Two people at the same settings: what one of them saved is not put back by the other's form.

A page with a form tells which change of the settings was the newest when the page was drawn, and a
mark of what each field held. When the form comes back after somebody else has changed something of
it, nothing is saved: it is drawn again, with what is saved now in the fields that nobody touched in
it and with what was typed in the others, and says so. Whoever has seen that may save it.
"""

import json
import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Self

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, SelectFieldBase

from portal.access import current_staff
from portal.extensions import db
from portal.models import Change


class SharedForm(FlaskForm):  # type: ignore[misc]
    """A form of what others may change at the same time: of some settings of `thing`, which is a
    checkout page, a product, a pool, or None for one to come."""

    seen = HiddenField()

    def __init__(self, thing: Any, *, as_kept: bool = False) -> None:
        """Filled with what was sent with the request, or with what is kept."""
        self.thing, self._newest = thing, 0
        self.is_sent = self.is_submitted() and not as_kept
        if thing and not self.is_sent:
            # First: what is saved before the settings are read counts then as not seen.
            self._newest = Change.newest_id(thing)
            db.session.refresh(thing)
        super().__init__(**({"formdata": None} if as_kept else {}), **self.held())

    def held(self) -> dict[str, Any]:
        """What fills the form, for WTForms."""
        return {"obj": self.thing}

    def kept(self) -> Self:
        """The same form with what is saved now."""
        return type(self)(self.thing, as_kept=True)

    def shows(self, change: Change) -> bool:
        """Whether `change` is one of what this form changes."""
        return change.field in self

    @property
    def shared_fields(self) -> list[Field]:
        """Those that hold what is saved."""
        return [field for field in self if field.name not in ("csrf_token", "seen")]

    def mark(self) -> None:
        """Have the page tell what it shows, unless it came back with that. To be called once the
        fields are filled."""
        if self.thing and self.seen.raw_data is None:
            marks = [f"{field.name}:{_mark(field)}" for field in self.shared_fields]
            self.seen.data = " ".join([str(self._newest), *marks])

    def is_outdated(self) -> bool:
        """Whether somebody else has changed something of it since the page was drawn. Then the form
        shows that, and is good to be sent again. Nobody changes anything from now on until the
        transaction ends."""
        if self.thing is None:
            return False
        self.thing.lock()
        newest, marks = _seen(self.seen.data)
        others = [
            change
            for change in Change.since(self.thing, newest)
            if change.by_id != current_staff.id and self.shows(change)
        ]
        if others:
            self._take_over(self.kept(), marks)
            self.form_errors.append(_whose(others))
        return bool(others)

    def _take_over(self, kept: Self, marks: dict[str, str]) -> None:
        changed = [
            (field, theirs, self.is_touched(field, marks))
            for field, theirs in self.beside(kept)
            if _mark(theirs) not in (marks.get(field.name), _mark(field))
        ]
        for field, theirs, is_touched in changed:
            if is_touched:
                field.errors = [*field.errors, _saved_meanwhile(theirs)]
            else:
                field.data, field.raw_data = theirs.data, None
        self.seen.data = kept.seen.data

    def beside(self, kept: Self) -> Iterable[tuple[Field, Field]]:
        """The fields, each with that of `kept`."""
        return zip(self.shared_fields, kept.shared_fields, strict=True)

    def is_touched(self, field: Field, marks: dict[str, str]) -> bool:
        """Whether `field` holds something else than when it was drawn, by the `marks` of then."""
        return _mark(field) != marks.get(field.name)


def _seen(sent: object) -> tuple[int | None, dict[str, str]]:
    """The id of a change, and the marks by the names of fields; no id where a page tells none."""
    newest, *marks = str(sent or "").split() or [""]
    parts = [mark.partition(":") for mark in marks]
    is_id = re.fullmatch(r"[0-9]{1,18}", newest)
    return int(newest) if is_id else None, {name: mark for name, _sign, mark in parts}


def _mark(field: Field) -> str:
    """A few letters for what a field holds."""
    digest = blake2b(json.dumps(_in_one_form(field)).encode(), digest_size=6)
    return digest.hexdigest()


def _in_one_form(field: Field) -> object:
    """The same for what is kept and for what a browser makes of it: text, in any order."""
    data = field.data
    if isinstance(field, BooleanField):
        return bool(data)
    if isinstance(data, dict):
        return sorted(data.items())
    return sorted(data) if isinstance(data, list) else "" if data is None else str(data)


def _whose(changes: list[Change]) -> str:
    people = sorted({change.by.email if change.by else _("the command line") for change in changes})
    return _(
        "Nothing was saved: others have changed something since this page was opened "
        "(%(people)s). The form shows now what they saved, but for the fields that are marked. "
        "Look at it, and save again to have it as it stands here.",
        people=", ".join(people),
    )


def _saved_meanwhile(field: Field) -> str:
    return _("Saved meanwhile, and replaced if you save again: %(value)s", value=_in_words(field))


def _in_words(field: Any) -> str:
    if isinstance(field, BooleanField):
        return _("yes") if field.data else _("no")
    if isinstance(field, SelectFieldBase):
        return ", ".join(
            str(text) for _value, text, chosen, _more in field.iter_choices() if chosen
        )
    return "\n" + str(field._value()) if field._value() else _("nothing")
