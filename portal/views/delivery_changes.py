"""What a person changes on an e-mail that is under way, or did not arrive: one shape for each."""

from collections.abc import Callable

from flask import render_template

from portal.access import delivery_or_404
from portal.extensions import db
from portal.jobs import jobs
from portal.models import Delivery, Refused
from portal.views.orders import redrawn


def change(
    number: str, delivery_id: int, deed: Callable[[Delivery], None], *, shows: str
) -> tuple[str, int]:
    """Do `deed` to a delivery, unless it is refused; the answer is the template that `shows` it."""
    delivery = delivery_or_404(number, delivery_id)
    refusal = None
    try:
        deed(delivery)
        db.session.commit()
        jobs().follow(delivery)
    except Refused as refused:
        refusal = refused.refusal
    shown = redrawn(number) | {"delivery": delivery, "refusal": refusal}
    return render_template(shows, **shown), 409 if refusal else 200
