"""/products/<id>/restarts: what has failed of a product is started again."""

from flask import Blueprint, flash, redirect, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.access import current_staff, product_or_404, staff_only
from portal.fulfilment import setting_up
from portal.models import Refused
from portal.views.product_forms import ProductForm
from portal.views.products import Answer, shown

bp = Blueprint("restarts", __name__, url_prefix="/products/<int:product_id>/restarts")


@bp.post("")
@staff_only(may="configure")
def create(product_id: int) -> Answer | Response:
    product = product_or_404(product_id)
    try:
        count = setting_up.start_failed(product, by=current_staff)
    except Refused as refused:
        return shown(product, ProductForm(product, as_kept=True), refusal=refused.refusal), 409
    flash(ngettext("%(num)s item was started again.", "%(num)s items were started again.", count))
    return redirect(url_for("products.show", product_id=product.id), 303)
