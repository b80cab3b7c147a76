"""/pools/<id>/uploads/<id>/withdrawal: an upload is discarded, or taken back out of the pool."""

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.access import current_staff, staff_only, upload_or_404
from portal.models import Refused
from portal.pools import uploads
from portal.views.pool_uploads import refused_page

bp = Blueprint(
    "withdrawals", __name__, url_prefix="/pools/<int:pool_id>/uploads/<int:upload_id>/withdrawal"
)


@bp.post("")
@staff_only(may="configure")
def create(pool_id: int, upload_id: int) -> tuple[str, int] | Response:
    upload = upload_or_404(pool_id, upload_id)
    try:
        if upload.is_in_pool:
            uploads.take_back(upload, by=current_staff)
            flash(_("The upload was taken back."))
        else:
            uploads.discard(upload)
            flash(_("The upload was discarded. Nothing of it is in the pool."))
    except Refused as refused:
        return refused_page(upload, refused)
    return redirect(url_for("pools.show", pool_id=pool_id), 303)
