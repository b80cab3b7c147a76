"""/orders/<number>/licenses/<id>/resends: the question, and the deed."""

from flask import Blueprint, abort, render_template

from portal import postman
from portal.access import current_staff, license_or_404, staff_only
from portal.confirmations import Confirmation, new_token
from portal.delivery_tokens import TokenSpent
from portal.jobs import jobs
from portal.languages import language_name
from portal.models import Refused
from portal.views.orders import redrawn

bp = Blueprint("resends", __name__, url_prefix="/orders/<number>/licenses/<int:license_id>/resends")


@bp.get("/new")
@staff_only(may="resend")
def new(number: str, license_id: int) -> tuple[str, int]:
    license = license_or_404(number, license_id)
    if license.resend_refusal():
        return render_template("orders/_resend.html", license=license, focus=True), 409
    form = Confirmation(formdata=None, token=new_token(), to=license.order.email)
    spoken = license.order.checkout_page.language_for(license.order.locale)
    language = language_name(spoken)
    shown = {"license": license, "form": form, "language": language}
    shown |= {"last": license.last_delivery, "last_sent": license.last_sent_delivery}
    shown |= {"queued": license.queued_delivery}
    return render_template("resends/_new.html", **shown), 200


@bp.post("")
@staff_only(may="resend")
def create(number: str, license_id: int) -> tuple[str, int]:
    license = license_or_404(number, license_id)
    form = Confirmation()
    if not form.validate():
        abort(400)
    delivery, refusal, token = None, None, str(form.token.data)
    try:
        delivery = postman.resend(license, by=current_staff, token=token, to=form.to.data)
    except TokenSpent:
        abort(400)
    except Refused as refused:
        refusal = refused.refusal
    if delivery:
        jobs().follow(delivery)
    shown = redrawn(number) | {"license": license, "delivery": delivery, "refusal": refusal}
    return render_template("resends/create.html", **shown), 409 if refusal else 200
