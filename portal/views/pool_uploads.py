"""/pools/<id>/uploads: a file is uploaded and explained."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.access import current_staff, pool_or_404, staff_only, upload_or_404
from portal.models import PoolUpload, Refused
from portal.pools.apart import begin_apart
from portal.pools.findings import Findings, Kind
from portal.views.large_bodies import let_in
from portal.views.pool_forms import PoolForm, UploadForm
from portal.views.pools import page_of

bp = Blueprint("pool_uploads", __name__, url_prefix="/pools/<int:pool_id>/uploads")

LARGEST_FILE = 200 * 1024 * 1024


@bp.url_value_preprocessor
def let_large_files_in(_endpoint: str | None, _values: dict[str, object] | None) -> None:
    if request.endpoint == "pool_uploads.create":
        let_in(LARGEST_FILE, may="configure")


@bp.post("")
@staff_only(may="configure")
def create(pool_id: int) -> tuple[str, int] | Response:
    pool = pool_or_404(pool_id)
    form = UploadForm()
    if not form.validate():
        return page_of(pool, PoolForm(pool, as_kept=True), form), 422
    try:
        name, stream = form.file.data.filename or "", form.file.data.stream
        upload_id = begin_apart(pool, name, stream, form.shape, by=current_staff)
    except Refused as refused:
        form.file.errors = [refused.refusal.sentence, refused.refusal.next_step]
        return page_of(pool, PoolForm(pool, as_kept=True), form), 409
    return redirect(url_for("pool_uploads.show", pool_id=pool_id, upload_id=upload_id), 303)


@bp.get("/<int:upload_id>")
@staff_only(may="configure")
def show(pool_id: int, upload_id: int) -> str:
    upload = upload_or_404(pool_id, upload_id)
    return render_template("pool_uploads/show.html", **_shown(upload))


@bp.get("/<int:upload_id>/progress")
@staff_only(may="configure")
def progress(pool_id: int, upload_id: int) -> str:
    """The fragment, as the page asks for it while the file is read."""
    upload = upload_or_404(pool_id, upload_id)
    return render_template("pool_uploads/_upload.html", **_shown(upload))


def refused_page(upload: PoolUpload, refused: Refused) -> tuple[str, int]:
    """The page of an upload that says why what was asked of it is not done."""
    shown = _shown(upload) | {"refusal": refused.refusal}
    return render_template("pool_uploads/show.html", **shown), 409


def _shown(upload: PoolUpload) -> dict[str, object]:
    findings = Findings.load(upload.report)
    kinds = [kind for kind in Kind if findings.counts[kind]]
    return {"upload": upload, "findings": findings, "kinds": kinds, "refusal": None}
