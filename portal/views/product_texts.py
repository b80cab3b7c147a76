"""/products/<id>/texts/<language>: what the e-mails say about a product."""

from flask import Blueprint, Response, abort

from portal.access import product_or_404, staff_only
from portal.languages import LANGUAGES
from portal.models import Product
from portal.views.text_forms import ProductTextForm
from portal.views.text_page import Answer, shown, written

bp = Blueprint("product_texts", __name__, url_prefix="/products/<int:product_id>/texts/<language>")

# An e-mail in HTML has styles in its tags, and nothing else that a browser would act on.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


@bp.get("")
@staff_only(may="configure")
def show(product_id: int, language: str) -> str:
    product = _product_or_404(product_id, language)
    return shown(ProductTextForm(product, language))


@bp.post("")
@staff_only(may="configure")
def update(product_id: int, language: str) -> Answer:
    product = _product_or_404(product_id, language)
    return written(ProductTextForm(product, language))


@bp.get("/html")
@staff_only(may="configure")
def show_html(product_id: int, language: str) -> Response:
    """The other half of the e-mail: its HTML, as it was saved."""
    product = _product_or_404(product_id, language)
    form = ProductTextForm(product, language)
    return Response(form.email().html, headers={"Content-Security-Policy": POLICY})


def _product_or_404(product_id: int, language: str) -> Product:
    return product_or_404(product_id) if language in LANGUAGES else abort(404)
