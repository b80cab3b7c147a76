"""/orders/<number>/items/<id>/attempts: one more try to obtain the licenses of an item."""

from flask import Blueprint, render_template

from portal.access import current_staff, item_or_404, staff_only
from portal.extensions import db
from portal.fulfilment import desk
from portal.jobs import jobs
from portal.models import Refused
from portal.views.orders import redrawn

bp = Blueprint("attempts", __name__, url_prefix="/orders/<number>/items/<int:item_id>/attempts")


@bp.post("")
@staff_only(may="fulfil")
def create(number: str, item_id: int) -> tuple[str, int]:
    item = item_or_404(number, item_id)
    item.order.lock()
    refusal = None
    try:
        fulfilment = desk.try_now(item, by=current_staff)
        db.session.commit()
        jobs().fulfil(fulfilment.id)
    except Refused as refused:
        refusal = refused.refusal
    shown = redrawn(number) | {"item": item, "refusal": refusal}
    return render_template("attempts/create.html", **shown), 409 if refusal else 200
