"""/pools/<id>/uploads/<id>/publication: the licenses of an upload are put into the pool."""

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.access import current_staff, staff_only, upload_or_404
from portal.jobs import jobs
from portal.models import Refused
from portal.pools import uploads
from portal.views.pool_uploads import refused_page

bp = Blueprint(
    "publications", __name__, url_prefix="/pools/<int:pool_id>/uploads/<int:upload_id>/publication"
)


@bp.post("")
@staff_only(may="configure")
def create(pool_id: int, upload_id: int) -> tuple[str, int] | Response:
    upload = upload_or_404(pool_id, upload_id)
    try:
        due = uploads.publish(upload, by=current_staff)
    except Refused as refused:
        return refused_page(upload, refused)
    for fulfilment_id in due:
        jobs().fulfil(fulfilment_id)
    flash(_("The licenses are in the pool."))
    return redirect(url_for("pools.show", pool_id=pool_id), 303)
