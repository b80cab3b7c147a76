"""/checkout-pages/<code>/messages/<id>/replays: a message is taken in once more."""

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.access import current_staff, message_or_404, staff_only
from portal.extensions import db
from portal.jobs import jobs
from portal.models import MessageOutcome, Refused
from portal.views.messages import shown

bp = Blueprint(
    "replays", __name__, url_prefix="/checkout-pages/<code>/messages/<int:message_id>/replays"
)


@bp.post("")
@staff_only(may="configure")
def create(code: str, message_id: int) -> tuple[str, int] | Response:
    """Take a rejected message in again, once what it lacked is there."""
    message = message_or_404(code, message_id)
    try:
        message.replay(by=current_staff)
    except Refused:
        return shown(message), 409
    outcome, order_id = message.outcome, message.order_id
    db.session.commit()
    if outcome is MessageOutcome.REJECTED:
        flash(_("The message was rejected again."), "error")
    else:
        flash(_("The message was taken in."))
        if order_id is not None:
            jobs().fulfil_order(order_id)
    return redirect(url_for("messages.show", code=code, message_id=message_id), 303)
