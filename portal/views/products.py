"""/products and /products/<id>: what is sold, and how its licenses are obtained."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response
from wtforms import RadioField, SelectField, StringField, URLField

from portal.access import current_staff, product_or_404, staff_only
from portal.extensions import db
from portal.fulfilment import setting_up
from portal.models import (
    Change,
    CheckoutPage,
    Fulfilment,
    LicenseQuantity,
    Product,
    Tool,
    Unsound,
    tool_settings,
)
from portal.views.settings_form import SettingsForm, choices, complain
from portal.views.tool_forms import FORMS

bp = Blueprint("products", __name__, url_prefix="/products")

SHOWN = 200

Answer = tuple[str, int]


class NewProductForm(SettingsForm):
    """A product that no order has had yet."""

    page = SelectField(lazy_gettext("Checkout page"))
    code = StringField(
        lazy_gettext("Product id"),
        description=lazy_gettext("What orders call it. It cannot be changed."),
    )
    name = StringField(lazy_gettext("Name"))

    def __init__(self) -> None:
        super().__init__()
        self.page.choices = choices({page.code: page.title for page in CheckoutPage.all()})


class ProductForm(SettingsForm):
    """A product with the settings of its tool: `tools` are the forms of all of them, and the one
    counts whose tool is chosen."""

    name = StringField(lazy_gettext("Name"))
    url = URLField(
        lazy_gettext("Address of the product"),
        description=lazy_gettext("Where it is to be had: {URL} and {URL_FULL} in e-mails."),
    )
    license_quantity = RadioField(
        lazy_gettext("How many licenses"),
        choices=choices(
            {
                LicenseQuantity.PER_UNIT.value: lazy_gettext("one for each unit"),
                LicenseQuantity.PER_ITEM.value: lazy_gettext("one for each item"),
            }
        ),
        validate_choice=False,
    )
    tool = RadioField(lazy_gettext("How licenses are obtained"), validate_choice=False)

    def __init__(self, product: Product, *, as_kept: bool = False) -> None:
        """Filled with what was sent with the request, or with what is kept."""
        sent = {"formdata": None} if as_kept else {}
        super().__init__(obj=product, **sent)
        self.tool.choices = choices({"": _("not set up yet"), **tool_names()})
        self.tool.data = self.tool.data or ""
        self.tools = {form.tool: form(product, as_kept=as_kept) for form in FORMS}

    def validate(self, **options: Any) -> bool:
        chosen = self.tools.get(self.tool.data)
        return bool(super().validate(**options)) & (chosen is None or chosen.validate())

    @property
    def wanted(self) -> dict[str, Any]:
        """What was typed, for Product.set_up."""
        typed = {name: value for name, value in self.data.items() if name != "csrf_token"}
        chosen = self.tools.get(self.tool.data)
        return typed | ({"settings": chosen.settings} if chosen else {})

    def complain(self, complaints: Mapping[str, str]) -> None:
        chosen = self.tools.get(self.tool.data, self)
        for name, sentence in complaints.items():
            field, _dot, of_tool = name.partition(".")
            if field == "settings":
                complain(chosen, {of_tool: sentence})
            else:
                complain(self, {name: sentence})


def tool_names() -> dict[str, str]:
    """What the tools are called."""
    return {
        Tool.WEB_SERVICE.value: _("Web service"),
        Tool.POOL.value: _("Pool"),
        Tool.INFORMATION.value: _("Informational e-mail"),
        Tool.LICENSE_REQUEST.value: _("License request"),
    }


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
        awaiting=Fulfilment.awaiting([product]).get(product.id, {}),
        **{"fresh_secret": None, "refusal": None, **more},
    )
