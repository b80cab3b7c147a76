"""/products/<id>/secrets: a fresh secret for the tool of a product, shown in the answer alone."""

from flask import Blueprint, request

from portal.access import current_staff, product_or_404, staff_only
from portal.extensions import db
from portal.models import Refused
from portal.views.product_forms import ProductForm
from portal.views.products import Answer, shown

bp = Blueprint("product_secrets", __name__, url_prefix="/products/<int:product_id>/secrets")


@bp.post("")
@staff_only(may="configure")
def create(product_id: int) -> Answer:
    product = product_or_404(product_id)
    try:
        secret = product.replace_secret(by=current_staff, seen=request.form.get("seen", 0, int))
    except Refused as refused:
        return shown(product, ProductForm(product, as_kept=True), refusal=refused.refusal), 409
    db.session.commit()
    return shown(product, ProductForm(product, as_kept=True), fresh_secret=secret), 200
