"""/products and /products/<id>: what is sold, and how its licenses are obtained."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.access import current_staff, product_or_404, staff_only
from portal.extensions import db
from portal.fulfilment import setting_up
from portal.models import Change, CheckoutPage, Fulfilment, Product, Unsound, tool_settings
from portal.views.product_forms import NewProductForm, ProductForm, tool_names

bp = Blueprint("products", __name__, url_prefix="/products")

SHOWN = 200

Answer = tuple[str, int]


@bp.get("")
@staff_only(may="configure")
def index() -> str:
    pages = CheckoutPage.all()
    asked, text = request.args.get("page", ""), request.args.get("q", "").replace("\0", "")
    page = next((page for page in pages if page.code == asked), None)
    found = Product.find(text, page, SHOWN + 1)
    return render_template(
        "products/index.html",
        products=found[:SHOWN],
        are_more=len(found) > SHOWN,
        pages=pages,
        page=asked,
        q=text,
        tools=tool_names(),
        awaiting=Fulfilment.awaiting(found[:SHOWN]),
    )


@bp.get("/new")
@staff_only(may="configure")
def new() -> Answer:
    return render_template("products/new.html", form=NewProductForm()), 200


@bp.post("")
@staff_only(may="configure")
def create() -> Answer | Response:
    form = NewProductForm()
    page = CheckoutPage.by_code(form.page.data or "")
    if not form.validate() or page is None:
        return render_template("products/new.html", form=form), 422
    wanted = {"code": form.code.data or "", "name": form.name.data or ""}
    try:
        product = Product.add(page, by=current_staff, **wanted)
    except Unsound as unsound:
        form.complain(unsound.complaints)
        return render_template("products/new.html", form=form), 422
    db.session.commit()
    flash(_("The product was added."))
    return redirect(url_for("products.show", product_id=product.id), 303)


@bp.get("/<int:product_id>")
@staff_only(may="configure")
def show(product_id: int) -> str:
    product = product_or_404(product_id)
    return shown(product, ProductForm(product))


@bp.post("/<int:product_id>")
@staff_only(may="configure")
def update(product_id: int) -> str | Answer | Response:
    product = product_or_404(product_id)
    form = ProductForm(product)
    if not form.validate():
        return shown(product, form), 422
    if form.is_outdated():
        return shown(product, form), 409
    try:
        fresh_secret = setting_up.set_up(product, by=current_staff, **form.wanted)
    except Unsound as unsound:
        form.complain(unsound.complaints)
        return shown(product, form), 422
    if fresh_secret:  # an answer of its own, because it is kept nowhere else
        return shown(product, ProductForm(product, as_kept=True), fresh_secret=fresh_secret)
    flash(_("The settings were saved."))
    return redirect(url_for("products.show", product_id=product.id), 303)


def shown(product: Product, form: ProductForm, **more: Any) -> str:
    """The page of a product; `fresh_secret` is shown on it this once, `refusal` is why not."""
    changes = Change.of(product)
    return render_template(
        "products/show.html",
        product=product,
        form=form,
        changes=changes,
        seen=Change.newest_id(product),
        has_secret=tool_settings.has_secret(product.tool),
        awaiting=Fulfilment.awaiting([product]),
        **{"fresh_secret": None, "refusal": None, **more},
    )
