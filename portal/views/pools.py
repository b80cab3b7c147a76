"""/pools: lists of licenses, for operators."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.access import current_staff, pool_or_404, staff_only
from portal.extensions import db
from portal.models import Change, Pool, PoolUpload, Refused, Unsound
from portal.pools.figures import figures_of
from portal.pools.products import by_pool
from portal.views.pool_forms import PoolForm, UploadForm

bp = Blueprint("pools", __name__, url_prefix="/pools")

# So many changes are shown; nobody reads more of them on a page.
CHANGES = 50


@bp.get("")
@staff_only(may="configure")
def index() -> str:
    pools = Pool.all()
    shown = {"figures": figures_of(pools), "products": by_pool()}
    return render_template("pools/index.html", pools=pools, **shown)


@bp.get("/new")
@staff_only(may="configure")
def new() -> str:
    return render_template("pools/new.html", form=PoolForm(as_kept=True))


@bp.post("")
@staff_only(may="configure")
def create() -> tuple[str, int] | Response:
    form = PoolForm()
    form.validate()
    try:
        pool = Pool.add(by=current_staff, **form.typed)
    except Unsound as unsound:
        form.complain(unsound.complaints)
        return render_template("pools/new.html", form=form), 422
    except Refused as refused:
        form.complain({"title": refused.refusal.sentence})
        return render_template("pools/new.html", form=form), 409
    db.session.commit()
    return redirect(url_for("pools.show", pool_id=pool.id), 303)


@bp.get("/<int:pool_id>")
@staff_only(may="configure")
def show(pool_id: int) -> str:
    pool = pool_or_404(pool_id)
    return page_of(pool, PoolForm(pool, as_kept=True), UploadForm(formdata=None))


@bp.post("/<int:pool_id>")
@staff_only(may="configure")
def update(pool_id: int) -> tuple[str, int] | Response:
    pool = pool_or_404(pool_id)
    form = PoolForm(pool)
    form.validate()
    if form.is_outdated():
        return page_of(pool, form, UploadForm(formdata=None)), 409
    try:
        pool.change(by=current_staff, **form.typed)
    except Unsound as unsound:
        form.complain(unsound.complaints)
        return page_of(pool, form, UploadForm(formdata=None)), 422
    except Refused as refused:
        form.complain({"title": refused.refusal.sentence})
        return page_of(pool, form, UploadForm(formdata=None)), 409
    db.session.commit()
    flash(_("The settings were saved."))
    return redirect(url_for("pools.show", pool_id=pool.id), 303)


def page_of(pool: Pool, form: PoolForm, upload_form: UploadForm) -> str:
    """The page of one pool, with what was typed into its forms."""
    return render_template(
        "pools/show.html",
        pool=pool,
        form=form,
        upload_form=upload_form,
        figures=figures_of([pool])[pool.id],
        products=by_pool().get(pool.id, []),
        pending=PoolUpload.pending(pool),
        uploads=PoolUpload.of(pool),
        changes=Change.of(pool)[:CHANGES],
    )
