"""/orders/<number>/licenses/<id>: one license on the page of its order."""

from flask import Blueprint, render_template, request

from portal.access import license_or_404, staff_only
from portal.models.progress import Progress

bp = Blueprint("licenses", __name__, url_prefix="/orders/<number>/licenses/<int:license_id>")


@bp.get("")
@staff_only(may="read")
def show(number: str, license_id: int) -> str:
    """The fragment, as it is put back when a question is cancelled, with the focus back on the
    button that had asked it."""
    license = license_or_404(number, license_id)
    button = "replace" if request.args.get("back_to") == "replace" else "resend"
    shown = {"license": license, "progress": Progress(license.order), "focus": button}
    return render_template("orders/_license.html", delivery=None, **shown)
