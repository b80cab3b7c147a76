"""/orders/<number>/deliveries/<id>/repeats: an e-mail that did not arrive is sent once more."""

from flask import Blueprint, render_template

from portal.access import current_staff, delivery_or_404, staff_only
from portal.extensions import db
from portal.jobs import jobs
from portal.models import Refused
from portal.views.orders import redrawn

bp = Blueprint(
    "repeats", __name__, url_prefix="/orders/<number>/deliveries/<int:delivery_id>/repeats"
)


@bp.post("")
@staff_only(may="resend")
def create(number: str, delivery_id: int) -> tuple[str, int]:
    delivery = delivery_or_404(number, delivery_id)
    refusal = None
    try:
        delivery.repeat(by=current_staff)
        db.session.commit()
        jobs().follow(delivery)
    except Refused as refused:
        refusal = refused.refusal
    shown = redrawn(number) | {"delivery": delivery, "refusal": refusal}
    return render_template("repeats/create.html", **shown), 409 if refusal else 200
