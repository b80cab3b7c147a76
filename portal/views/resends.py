"""/orders/<number>/licenses/<id>/resends: the question, and the deed."""

import secrets

from flask import Blueprint, abort, render_template
from flask_babel import get_locale
from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.validators import Regexp

from portal import languages, postman
from portal.access import current_staff, license_or_404, order_or_404, staff_only
from portal.models import Delivery, Refused
from portal.postman import TokenSpent
from portal.views.orders import WITH_HISTORY

bp = Blueprint("resends", __name__, url_prefix="/orders/<number>/licenses/<int:license_id>/resends")


class ResendForm(FlaskForm):  # type: ignore[misc]
    """One confirmation: its token is good for one delivery."""

    # No token of the API's (api.py): these can be worked out from a key that is easy to guess.
    token = HiddenField(validators=[Regexp(r"^(?!api-)[A-Za-z0-9_-]{20,64}$")])


@bp.get("/new")
@staff_only(may="resend")
def new(number: str, license_id: int) -> tuple[str, int]:
    license = license_or_404(number, license_id)
    if license.resend_refusal():
        return render_template("orders/_resend.html", license=license, focus=True), 409
    form = ResendForm(formdata=None, token=secrets.token_urlsafe(24))
    spoken = license.order.checkout_page.language_for(license.order.locale)
    language = languages.language_name(spoken, seen_by=str(get_locale()))
    shown = {"license": license, "form": form, "language": language}
    return render_template("resends/_new.html", last=license.last_delivery, **shown), 200


@bp.post("")
@staff_only(may="resend")
def create(number: str, license_id: int) -> tuple[str, int]:
    license = license_or_404(number, license_id)
    form = ResendForm()
    if not form.validate():
        abort(400)
    delivery, status = None, 200
    try:
        delivery = postman.resend(license, by=current_staff, token=str(form.token.data))
    except TokenSpent:
        abort(400)
    except Refused:
        status = 409
    order = order_or_404(number, WITH_HISTORY)
    shown = {"order": order, "delivery": delivery, "underway": Delivery.underway(order)}
    return render_template("resends/create.html", license=license, **shown), status
