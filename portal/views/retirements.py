"""/checkout-pages/<code>/secrets/<id>/retirements: nothing may be signed with a secret any more."""

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.access import current_staff, secret_or_404, staff_only
from portal.extensions import db
from portal.models import Refused
from portal.views.checkout_pages import Answer, PageForm, shown

bp = Blueprint(
    "retirements", __name__, url_prefix="/checkout-pages/<code>/secrets/<int:secret_id>/retirements"
)


@bp.post("")
@staff_only(may="configure")
def create(code: str, secret_id: int) -> Answer | Response:
    secret = secret_or_404(code, secret_id)
    page = secret.checkout_page
    try:
        secret.retire(by=current_staff)
    except Refused as refused:
        return shown(page, PageForm(page, as_kept=True), refusal=refused.refusal), 409
    db.session.commit()
    flash(_("The secret was retired: what is signed with it is refused from now on."))
    return redirect(url_for("checkout_pages.show", code=page.code), 303)
