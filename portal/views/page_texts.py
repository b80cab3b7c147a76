"""/checkout-pages/<code>/texts/<language>: how the e-mails of a checkout page begin and end."""

from flask import Blueprint, abort

from portal.access import checkout_page_or_404, staff_only
from portal.languages import LANGUAGES
from portal.models import CheckoutPage
from portal.views.text_forms import PageTextForm
from portal.views.text_page import Answer, shown, written

bp = Blueprint("page_texts", __name__, url_prefix="/checkout-pages/<code>/texts/<language>")


@bp.get("")
@staff_only(may="configure")
def show(code: str, language: str) -> str:
    page = _page_or_404(code, language)
    return shown(PageTextForm(page, language))


@bp.post("")
@staff_only(may="configure")
def update(code: str, language: str) -> Answer:
    page = _page_or_404(code, language)
    return written(PageTextForm(page, language))


def _page_or_404(code: str, language: str) -> CheckoutPage:
    return checkout_page_or_404(code) if language in LANGUAGES else abort(404)
