"""/searches: the search box, without what was typed in the address.

A license may be typed into it, and addresses end up in logs and histories.
"""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from portal import interrupted_searches
from portal.access import staff_only
from portal.database.connections import reads_only
from portal.views.orders import answer

bp = Blueprint("searches", __name__, url_prefix="/searches")


@bp.post("")
@reads_only
@staff_only(may="read")
def create() -> Response:
    return answer(request.form, in_address=False)


@bp.get("")
@staff_only(may="read")
def show() -> Response:
    """The way to the answer of a search that was interrupted by signing in."""
    asked = interrupted_searches.take()
    if not asked:
        return redirect(url_for("orders.index"))
    response = answer(asked, in_address=False)
    address = response.headers.pop("HX-Push-Url", None)
    return redirect(address, 303) if address else response
