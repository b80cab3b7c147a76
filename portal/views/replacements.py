"""/orders/<number>/licenses/<id>/replacements: another license in the place of a faulty one."""

from typing import Any

from flask import Blueprint, abort, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import Field, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from portal.access import current_staff, license_or_404, staff_only
from portal.confirmations import Confirmation, Unfinished, new_token, once
from portal.delivery_tokens import TokenSpent
from portal.jobs import jobs
from portal.languages import language_name
from portal.models import Delivery, License, Refused, replacement
from portal.pools import sold
from portal.quoted_secrets import without_secrets
from portal.views.license_text import license_field
from portal.views.orders import redrawn

bp = Blueprint(
    "replacements", __name__, url_prefix="/orders/<number>/licenses/<int:license_id>/replacements"
)


class ReplacementForm(Confirmation):
    """The new license, and what is wrong with the former one."""

    text = license_field()
    because = StringField(
        filters=[lambda text: " ".join((text or "").replace("\0", " ").split())],
        validators=[
            InputRequired(lazy_gettext("Say what is wrong with the license.")),
            Length(max=replacement.LONGEST_REASON, message=lazy_gettext("This is too long.")),
        ],
    )

    def __init__(self, license: License, **options: Any) -> None:
        super().__init__(**options)
        self.license = license

    def validate_text(self, field: Field) -> None:
        if self.license.item.has_license(field.data):
            raise ValidationError(_("The item has had this license before."))

    def validate(self, extra_validators: Any = None) -> bool:
        """Whether the license may take the other's place. Who has it besides is asked last: whoever
        guesses licenses of other checkout pages would replace one with each that nobody has."""
        if not super().validate(extra_validators):
            return False
        refusal = sold.entry_refusal([str(self.text.data)], self.license.item)
        if refusal:
            self.text.errors = [refusal.in_full]
        return refusal is None

    def validate_to(self, field: Field) -> None:
        if unmeant := self.is_meant_for(self.license.order):
            raise ValidationError(unmeant)

    def validate_because(self, field: Field) -> None:
        """The reason goes into the history, which never holds a license."""
        texts = [self.text.data, *(license.text for license in self.license.item.licenses)]
        lines = [line for text in texts for line in (text or "").split("\n")]
        if not field.data or without_secrets(field.data, lines) != field.data:
            raise ValidationError(_("Say what is wrong, without the license itself."))


@bp.get("/new")
@staff_only(may="replace")
def new(number: str, license_id: int) -> tuple[str, int]:
    license = license_or_404(number, license_id)
    if license.replacement_refusal():
        return render_template("orders/_resend.html", license=license, focus=True), 409
    form = ReplacementForm(license, formdata=None, token=new_token(), to=license.order.email)
    return _question(form, "replacements/_new.html"), 200


@bp.post("")
@staff_only(may="replace")
def create(number: str, license_id: int) -> tuple[str, int]:
    license = license_or_404(number, license_id)
    form, item, refusal = ReplacementForm(license), license.item, None
    try:
        delivery = once(form, item, lambda: _replace(form))
        jobs().follow(delivery)
    except TokenSpent:
        abort(400)
    except Unfinished:
        return _question(form, "replacements/unfinished.html"), 422
    except Refused as refused:
        refusal = refused.refusal
    shown = redrawn(number) | {"item": item, "refusal": refusal}
    return render_template("replacements/create.html", **shown), 409 if refusal else 200


def _replace(form: ReplacementForm) -> Delivery:
    if refusal := form.license.replacement_refusal():
        raise Refused(refusal)
    if not form.validate():
        raise Unfinished
    return replacement.replace(
        form.license,
        str(form.text.data),
        because=str(form.because.data),
        by=current_staff,
        token=str(form.token.data),
    )


def _question(form: ReplacementForm, template: str) -> str:
    license = form.license
    spoken = license.order.checkout_page.language_for(license.order.locale)
    language = language_name(spoken)
    shown = {"license": license, "form": form, "language": language}
    return render_template(template, **shown)
