"""/searches: the search box, without what was typed in the address.

A license may be typed into it, and addresses end up in logs and histories.
"""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from portal.access import staff_only
from portal.database.connections import reads_only
from portal.views.orders import answer

bp = Blueprint("searches", __name__, url_prefix="/searches")


@bp.post("")
@reads_only
@staff_only(may="read")
def create() -> Response:
    return answer(request.form, in_address=False)
