"""/checkout-pages/<code>/secrets: what the messages of a page are signed with, shown once."""

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.access import checkout_page_or_404, current_staff, staff_only
from portal.extensions import db
from portal.models import Hook, PageSecret, Refusal, Refused
from portal.views.checkout_pages import Answer, PageForm, shown

bp = Blueprint("page_secrets", __name__, url_prefix="/checkout-pages/<code>/secrets")


@bp.post("")
@staff_only(may="configure")
def create(code: str) -> Answer | Response:
    page, sent = checkout_page_or_404(code), request.form
    if sent.get("hook") not in set(Hook):
        abort(400)
    hook, text = Hook(sent["hook"]), sent.get("text", "").strip() or None
    try:
        secret = PageSecret.add(page, hook, text, by=current_staff, seen=sent.get("seen", 0, int))
    except Refused as refused:
        return shown(page, PageForm(page, as_kept=True), refusal=refused.refusal), 409
    except ValueError as error:
        refusal = Refusal("unsound", str(error), _("Nothing was added."))
        return shown(page, PageForm(page, as_kept=True), refusal=refusal), 422
    db.session.commit()
    if text is None:  # an answer of its own, because it is shown nowhere else
        return shown(page, PageForm(page, as_kept=True), fresh_secret=secret), 200
    flash(_("The secret was added."))
    return redirect(url_for("checkout_pages.show", code=page.code), 303)
