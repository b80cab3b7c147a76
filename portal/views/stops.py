"""/orders/<number>/deliveries/<id>/stops: an e-mail is not to be tried again."""

from flask import Blueprint

from portal.access import current_staff, staff_only
from portal.views.delivery_changes import change

bp = Blueprint("stops", __name__, url_prefix="/orders/<number>/deliveries/<int:delivery_id>/stops")


@bp.post("")
@staff_only(may="resend")
def create(number: str, delivery_id: int) -> tuple[str, int]:
    return change(
        number,
        delivery_id,
        lambda delivery: delivery.stop(by=current_staff),
        shows="stops/create.html",
    )
