"""/orders/<number>/progress: what has changed on a page since it was drawn."""

from flask import Blueprint, render_template, request

from portal.access import staff_only
from portal.models.progress import Progress
from portal.views.orders import whole_order

bp = Blueprint("progress", __name__, url_prefix="/orders/<number>/progress")


@bp.get("")
@staff_only(may="read")
def show(number: str) -> tuple[str, int]:
    """The fragments that look different by now, or 204 when none does."""
    order = whole_order(number)
    progress, seen = Progress(order), request.args.get("seen", "")
    if progress.seen == seen:
        return "", 204
    shown = {"order": order, "progress": progress, "items": progress.changed_since(seen)}
    return render_template("progress/show.html", said=progress.news_since(seen), **shown), 200
