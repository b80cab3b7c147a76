"""/orders/<number>/deliveries/<id>/stops: an e-mail is not to be tried again."""

from flask import Blueprint, render_template

from portal.access import current_staff, delivery_or_404, staff_only
from portal.extensions import db
from portal.models import Refused
from portal.views.orders import redrawn

bp = Blueprint("stops", __name__, url_prefix="/orders/<number>/deliveries/<int:delivery_id>/stops")


@bp.post("")
@staff_only(may="resend")
def create(number: str, delivery_id: int) -> tuple[str, int]:
    delivery = delivery_or_404(number, delivery_id)
    refusal = None
    try:
        delivery.stop(by=current_staff)
        db.session.commit()
    except Refused as refused:
        refusal = refused.refusal
    shown = redrawn(number) | {"delivery": delivery, "refusal": refusal}
    return render_template("stops/create.html", **shown), 409 if refusal else 200
