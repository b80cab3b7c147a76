"""/searches: the search box, without what was typed in the address.

A license may be typed into it, and addresses end up in logs and histories.
"""

from flask import Blueprint, make_response, request, url_for
from werkzeug.wrappers import Response

from portal.access import staff_only
from portal.database.connections import reads_only
from portal.views.orders import SearchForm, answer

bp = Blueprint("searches", __name__, url_prefix="/searches")


@bp.post("")
@reads_only
@staff_only(may="read")
def create() -> Response:
    response = make_response(answer(request.form))
    if response.status_code == 200:
        search = SearchForm(request.form).search(None)
        response.headers["HX-Push-Url"] = search.address(url_for("orders.index"))
    return response
