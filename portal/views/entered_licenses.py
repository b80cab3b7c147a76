"""/orders/<number>/items/<id>/licenses: staff enter the licenses that an item waits for."""

from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import Field, FieldList, Form, TextAreaField
from wtforms.validators import ValidationError

from portal.access import current_staff, item_or_404, staff_only
from portal.confirmations import Confirmation, Unfinished, new_token, once
from portal.delivery_tokens import TokenSpent
from portal.jobs import jobs
from portal.models import Delivery, Item, Refused
from portal.models.progress import Progress
from portal.pools import sold
from portal.views.entered_text import as_entered
from portal.views.large_bodies import let_in
from portal.views.license_text import license_field, unsound
from portal.views.orders import redrawn

bp = Blueprint(
    "entered_licenses", __name__, url_prefix="/orders/<number>/items/<int:item_id>/licenses"
)

# Up to so many have a field each, in which they may have several lines; more are entered as a list.
FIELDS = 20
# An item has 100,000 units at most: a hundred characters for each. Sent by a form, some characters
# are three, and line ends six.
LONGEST_LIST = 10_000_000
LARGEST_BODY = 3 * LONGEST_LIST
# To draw so many takes longer than to save them: the answer says that they are there.
MANY = 2_000


def _is_short_enough(_form: Form, field: Field) -> None:
    if len(field.data) > LONGEST_LIST:
        raise ValidationError(_("This is too long."))


class EntryForm(Confirmation):
    """A field for each license that is missing."""

    texts = FieldList(license_field(), max_entries=FIELDS)
    lines = TextAreaField(filters=[as_entered], validators=[_is_short_enough])

    def __init__(self, item: Item, **options: Any) -> None:
        super().__init__(**options)
        self.item = item
        self.missing = item.fulfilment.missing if item.fulfilment else 0
        self.error: str | None = None
        while self.missing <= FIELDS and len(self.texts) < self.missing:
            self.texts.append_entry()

    @property
    def licenses(self) -> list[str]:
        """What was entered."""
        if self.missing <= FIELDS:
            return [str(entry.data) for entry in self.texts]
        return [line.strip() for line in str(self.lines.data).split("\n") if line.strip()]

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether there are as many as are missing, and each of them is a new one."""
        is_good, entered = bool(super().validate(extra_validators)), self.licenses
        if unmeant := self.is_meant_for(self.item.order):
            self.error = unmeant
        elif self.lines.errors:
            self.error = str(self.lines.errors[0])
        elif len(entered) != self.missing:
            self.error = ngettext(
                "One license is needed.", "%(num)s different licenses are needed.", self.missing
            )
        elif is_good and (complaint := next(filter(None, map(unsound, entered)), None)):
            self.error = complaint
        elif is_good and len({*entered}) < len(entered):
            self.error = _("The same license is there twice.")
        elif is_good and self.item.has_license(*entered):
            self.error = _("The item has had this license before.")
        elif is_good and (refusal := sold.entry_refusal(entered, self.item)):
            self.error = refusal.in_full
        return is_good and self.error is None


@bp.url_value_preprocessor
def let_long_lists_in(_endpoint: str | None, _values: dict[str, object] | None) -> None:
    if request.endpoint == "entered_licenses.create":
        let_in(LARGEST_BODY, may="fulfil")
        request.max_form_memory_size = request.max_content_length


@bp.get("/new")
@staff_only(may="fulfil")
def new(number: str, item_id: int) -> tuple[str, int]:
    item = item_or_404(number, item_id)
    if item.entry_refusal():
        shown = {"item": item, "progress": Progress(item.order)}
        return render_template("orders/_standing.html", focus=True, **shown), 409
    form = EntryForm(item, formdata=None, token=new_token(), to=item.order.email)
    return render_template("entered_licenses/_new.html", item=item, form=form), 200


@bp.post("")
@staff_only(may="fulfil")
def create(number: str, item_id: int) -> tuple[str, int]:
    item = item_or_404(number, item_id)
    item.order.lock()
    form, refusal = EntryForm(item), None
    try:
        delivery = once(form, item, lambda: _enter(form))
        jobs().follow(delivery)
    except TokenSpent:
        abort(400)
    except Unfinished:
        return render_template("entered_licenses/unfinished.html", item=item, form=form), 422
    except Refused as refused:
        refusal = refused.refusal
    if not refusal and form.missing > MANY:
        return render_template("entered_licenses/many.html", item=item, count=form.missing), 200
    shown = redrawn(number) | {"item": item, "refusal": refusal}
    return render_template("entered_licenses/create.html", **shown), 409 if refusal else 200


def _enter(form: EntryForm) -> Delivery:
    if refusal := form.item.entry_refusal():
        raise Refused(refusal)
    if not form.validate() or form.item.fulfilment is None:
        raise Unfinished
    token = str(form.token.data)
    return form.item.fulfilment.enter(form.licenses, by=current_staff, token=token)
