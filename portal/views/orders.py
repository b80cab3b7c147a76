"""/orders and /orders/<number>: finding an order, and seeing all of it."""

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.access import current_staff, staff_only, whole_order_or_404
from portal.database.reading import begin_reading
from portal.extensions import db
from portal.models import Order
from portal.models.progress import Progress
from portal.views.searches import answer

bp = Blueprint("orders", __name__, url_prefix="/orders")


@bp.get("")
@staff_only(may="read")
def index() -> Response:
    return answer(request.args, in_address=True)


@bp.get("/<number>")
@staff_only(may="read")
def show(number: str) -> str | Response:
    order = whole_order(number)
    if number != order.number:
        return redirect(url_for("orders.show", number=order.number))
    shown = {"order": order, "progress": Progress(order)}
    return render_template("orders/show.html", back=_list_they_came_from(), **shown)


def redrawn(number: str) -> dict[str, object]:
    """What the fragments of an order's page are drawn from, after a change. Nothing is written from
    here on, so that nobody waits while they are drawn."""
    begin_reading(db.session())
    current_staff.sees_all  # noqa: B018 - read as a whole, before the history names them in part
    order = whole_order(number)
    return {"order": order, "progress": Progress(order)}


def whole_order(number: str) -> Order:
    """The order with all that its page shows, but for what is under way."""
    order = whole_order_or_404(number)
    order.read_mailed_licenses()
    return order


def _list_they_came_from() -> tuple[str, str] | None:
    """The address of the search, of the page of the list or of the worklist that led to this page,
    and the words that lead back there; None where none did."""
    try:
        page = urlsplit(request.referrer or "")
    except ValueError:
        return None
    if page.netloc != request.host:
        return None
    address = page._replace(scheme="", netloc="").geturl()
    if page.query and page.path == url_for("orders.index"):
        return address, _("Back to the results")
    if page.path == url_for("needs.index"):
        return address, _("Back to what needs a license")
    return None
