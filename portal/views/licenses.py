"""/orders/<number>/licenses/<id>: one license on the page of its order."""

from flask import Blueprint, render_template

from portal.access import license_or_404, staff_only
from portal.models.progress import Progress

bp = Blueprint("licenses", __name__, url_prefix="/orders/<number>/licenses/<int:license_id>")


@bp.get("")
@staff_only(may="read")
def show(number: str, license_id: int) -> str:
    """The fragment, as it is put back when a question is cancelled."""
    license = license_or_404(number, license_id)
    shown = {"license": license, "progress": Progress(license.order)}
    return render_template("orders/_license.html", focus=True, delivery=None, **shown)
