"""A product as a form, with the settings of its tool."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import Field, RadioField, SelectField, StringField, URLField

from portal.models import Change, CheckoutPage, LicenseQuantity, Product, Tool
from portal.models.text import TEXTS_NOTED
from portal.views.settings_form import SettingsForm, SharedSettingsForm, choices, complain
from portal.views.tool_forms import FORMS


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


class ProductForm(SharedSettingsForm):
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
        super().__init__(product, as_kept=as_kept)
        self.tool.choices = choices({"": _("not set up yet"), **tool_names()})
        self.tool.data = self.tool.data or ""
        self.tools = {form.tool: form(product, as_kept=as_kept) for form in FORMS}
        self.mark()

    def shows(self, change: Change) -> bool:
        """See SharedForm."""
        return change.field not in {"secret", *TEXTS_NOTED}

    @property
    def shared_fields(self) -> list[Field]:
        """Its own, and those of all tools."""
        return [*super().shared_fields, *(field for form in self.tools.values() for field in form)]

    def beside(self, kept: "ProductForm") -> list[tuple[Field, Field]]:
        """Its own fields, and those of the tool that is kept: nothing is kept of the others."""
        own = [(self[field.name], field) for field in super(ProductForm, kept).shared_fields]
        tool = kept.tools.get(kept.tool.data, ())
        return own + [(self.tools[kept.tool.data][_short(field)], field) for field in tool]

    def is_touched(self, field: Field, marks: dict[str, str]) -> bool:
        """Who touches what the chosen tool is to do means that tool, and all that it is to do."""
        chosen = list(self.tools.get(self.tool.data, ()))
        touched = super().is_touched
        if field is self.tool or field in chosen:
            return touched(self.tool, marks) or any(touched(part, marks) for part in chosen)
        return touched(field, marks)

    @property
    def words(self) -> dict[str, dict[str, str]]:
        """What can be chosen, by the field and its value, as the page calls it."""
        fields: tuple[Any, ...] = (self.license_quantity, self.tool)
        return {
            field.name: {choice.value: choice.label for choice in field.choices} for field in fields
        }

    def validate(self, **options: Any) -> bool:
        chosen = self.tools.get(self.tool.data)
        return bool(super().validate(**options)) & (chosen is None or chosen.validate())

    @property
    def wanted(self) -> dict[str, Any]:
        """What was typed, for Product.set_up."""
        chosen = self.tools.get(self.tool.data)
        return self.typed | ({"settings": chosen.settings} if chosen else {})

    def complain(self, complaints: Mapping[str, str]) -> None:
        chosen = self.tools.get(self.tool.data, self)
        for name, sentence in complaints.items():
            field, _dot, of_tool = name.partition(".")
            if field == "settings":
                complain(chosen, {of_tool: sentence})
            else:
                complain(self, {name: sentence})


def _short(field: Field) -> str:
    return str(field.short_name)


def tool_names() -> dict[str, str]:
    """What the tools are called."""
    return {
        Tool.WEB_SERVICE.value: _("Web service"),
        Tool.POOL.value: _("Pool"),
        Tool.INFORMATION.value: _("Informational e-mail"),
        Tool.LICENSE_REQUEST.value: _("License request"),
    }
