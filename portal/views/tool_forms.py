"""The settings of each tool as a form, which reads and writes them as they are kept."""

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    Form,
    RadioField,
    SelectField,
    StringField,
    URLField,
)

from portal.extensions import db
from portal.fulfilment.web_service import Method, Parameter
from portal.models import Pool, Product, Tool, tool_settings
from portal.models.change import HIDDEN
from portal.views.settings_form import Lines, choices


class ToolForm(Form):
    """What is named as a setting is one. The form is filled with what was sent, or else with the
    settings that are kept, in which HIDDEN stands for what nobody is to see."""

    tool: Tool

    def __init__(self, product: Product, *, as_kept: bool) -> None:
        kept = product.known_settings if product.tool is self.tool else {}
        shown = self.as_fields(tool_settings.to_change(self.tool, kept))
        sent = None if as_kept or request.method != "POST" else request.form
        super().__init__(sent, data=shown, prefix=f"{self.tool}-")

    def as_fields(self, settings: dict[str, Any]) -> dict[str, Any]:
        """What the fields hold for `settings`."""
        return settings

    @property
    def settings(self) -> dict[str, Any]:
        """What was typed, for Product.set_up."""
        return dict(self.data)


class Allowance(BooleanField):
    """A box that was ticked when it was saved says so when it is sent again, which allows nothing
    anew. It comes back without a tick when it is complained of."""

    data: Any

    def process_data(self, value: object) -> None:
        self.data = value

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if valuelist == [HIDDEN]:
            self.data = HIDDEN

    @property
    def checked(self) -> bool:
        return bool(self.data) and not self.errors

    def _value(self) -> str:
        return HIDDEN if self.data == HIDDEN and not self.errors else "y"


class WebServiceForm(ToolForm):
    """The names of the parameters have a field each, named parameter_names_<parameter>."""

    tool = Tool.WEB_SERVICE

    url = URLField(
        lazy_gettext("Address of the web service"),
        description=lazy_gettext("Such as https://vendor.example/licenses."),
    )
    method = RadioField(
        lazy_gettext("How the parameters are sent"),
        choices=choices(
            {
                Method.POST.value: lazy_gettext("POST, as JSON"),
                Method.GET.value: lazy_gettext("GET, in the address"),
            }
        ),
        default=Method.POST.value,
        validate_choice=False,
    )
    time_out = StringField(lazy_gettext("Seconds to wait for an answer, at most"), default="10")
    temporary_pattern = StringField(
        lazy_gettext("Pattern of a temporary error"),
        description=lazy_gettext(
            "A regular expression. An answer in which it is found is asked for again later."
        ),
    )
    vendor_mails = BooleanField(
        lazy_gettext("The vendor mails licenses itself"),
        description=lazy_gettext("Then nothing is saved here, and nothing can be sent again."),
    )
    inner_host_allowed = Allowance(
        lazy_gettext("The address may be in the inner network"),
        description=lazy_gettext(
            "And may then start with http://. It is to be ticked again for another host."
        ),
    )
    extra_parameters = Lines(
        lazy_gettext("Parameters that are always the same"),
        sign="=",
        description=lazy_gettext("One in a line, such as shop=7. What was saved is not shown."),
    )
    extra_headers = Lines(
        lazy_gettext("Headers that are always the same"),
        sign=":",
        description=lazy_gettext("One in a line, such as X-Shop: 7. What was saved is not shown."),
    )

    def as_fields(self, settings: dict[str, Any]) -> dict[str, Any]:
        names = settings.get("parameter_names", {})
        return settings | {f"parameter_names_{known}": name for known, name in names.items()}

    @property
    def settings(self) -> dict[str, Any]:
        typed = dict(self.data)
        names = {known: str(typed.pop(f"parameter_names_{known}")).strip() for known in Parameter}
        changed = {known.value: name for known, name in names.items() if name != known}
        return typed | {"parameter_names": changed}

    @property
    def parameter_names(self) -> list[Field]:
        """The fields with the names of the parameters."""
        return [self[f"parameter_names_{known}"] for known in Parameter]


for _known in Parameter:
    _field = StringField(_known.value, default=_known.value)
    setattr(WebServiceForm, f"parameter_names_{_known}", _field)


class PoolForm(ToolForm):
    """The pools are offered by their titles."""

    tool = Tool.POOL

    pool_id = SelectField(lazy_gettext("Taken from the pool"), validate_choice=False)
    send_what_is_there = BooleanField(
        lazy_gettext("Send what there is at once"),
        description=lazy_gettext(
            "When the pool has too few, the customer gets some licenses now and the rest later."
        ),
    )

    def __init__(self, product: Product, *, as_kept: bool) -> None:
        super().__init__(product, as_kept=as_kept)
        pools = db.session.execute(db.select(Pool.id, Pool.title).order_by(Pool.title)).all()
        titles = {str(pool.id): pool.title for pool in pools}
        none_chosen = _("Choose a pool") if titles else _("There is none yet")
        self.pool_id.choices = choices({"": none_chosen, **titles})

    @property
    def settings(self) -> dict[str, Any]:
        return {name: value for name, value in self.data.items() if value != ""}


class InformationForm(ToolForm):
    """Nothing to set but the texts of the product."""

    tool = Tool.INFORMATION


class LicenseRequestForm(ToolForm):
    """Who is asked."""

    tool = Tool.LICENSE_REQUEST

    notify = EmailField(
        lazy_gettext("Who enters the licenses"),
        description=lazy_gettext("This address is mailed when an item needs a license."),
    )


FORMS: tuple[type[ToolForm], ...] = (
    WebServiceForm,
    PoolForm,
    InformationForm,
    LicenseRequestForm,
)
