"""/orders/<number>/items/<id>: one item on the page of its order."""

from flask import Blueprint, render_template

from portal.access import item_or_404, staff_only
from portal.models.progress import Progress

bp = Blueprint("items", __name__, url_prefix="/orders/<number>/items/<int:item_id>")


@bp.get("")
@staff_only(may="read")
def show(number: str, item_id: int) -> str:
    """Where it stands, as it is put back when a question is cancelled."""
    item = item_or_404(number, item_id)
    shown = {"item": item, "progress": Progress(item.order)}
    return render_template("orders/_standing.html", focus=True, **shown)
