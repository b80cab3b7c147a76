"""/orders/<number>/deliveries/<id>/repeats: an e-mail that did not arrive is sent once more."""

from flask import Blueprint

from portal.access import current_staff, staff_only
from portal.views.delivery_changes import change

bp = Blueprint(
    "repeats", __name__, url_prefix="/orders/<number>/deliveries/<int:delivery_id>/repeats"
)


@bp.post("")
@staff_only(may="resend")
def create(number: str, delivery_id: int) -> tuple[str, int]:
    return change(
        number,
        delivery_id,
        lambda delivery: delivery.repeat(by=current_staff),
        shows="repeats/create.html",
    )
