"""What an operator sets for a product whose licenses come from a web service."""

from enum import StrEnum
from typing import Annotated, Self

from flask_babel import gettext as _
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    model_validator,
)

from portal.fulfilment.web_service.values import (
    MOST_EXTRAS,
    HeaderName,
    HeaderValue,
    ParameterName,
    ParameterValue,
    Pattern,
)
from portal.shared_secret import sound_secret

LONGEST_HOST = 253  # RFC 1035, 2.3.4, without the last dot and in text


class Method(StrEnum):
    """How the parameters travel: as a JSON document, or in the query of the address."""

    POST = "POST"
    GET = "GET"


class Parameter(StrEnum):
    """What the vendor can be told about an item, by its documented name."""

    ORDER = "Order"
    ITEM = "Item"
    ID = "ID"
    QUANTITY = "Quantity"
    ORDER_SUM = "Order_sum"
    CURRENCY = "Currency"
    ZONE = "Zone"
    SUBSCRIPTION_ID = "Subscription_ID"
    SUBSCRIPTION_PERIOD = "Subscription_period"
    KEY_FIRST_RENEW = "Key_first_renew"
    KEY_LAST_RENEW = "Key_last_renew"


def _sound(secret: SecretStr) -> SecretStr:
    return SecretStr(sound_secret(secret.get_secret_value()))


class Settings(BaseModel):
    """Where and how the vendor is asked.

    `parameter_names` gives other names to some of the documented parameters; one with an empty
    name is left out. `extra_parameters` and `extra_headers` are the same in each request.
    `time_out` is how many seconds a whole conversation may take, from the name server to the last
    byte. An answer in which `temporary_pattern` is found is asked for again later. With
    `vendor_mails` the answer holds no license. `inner_host_allowed` allows the host of `url`, and
    no other, to be in the inner network, and to be spoken to without TLS.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    url: HttpUrl
    method: Method = Method.POST
    secret: Annotated[SecretStr, AfterValidator(_sound)]
    parameter_names: dict[Parameter, ParameterName] = {}
    extra_parameters: Annotated[
        dict[ParameterName, ParameterValue], Field(max_length=MOST_EXTRAS, repr=False)
    ] = {}
    extra_headers: Annotated[
        dict[HeaderName, HeaderValue], Field(max_length=MOST_EXTRAS, repr=False)
    ] = {}
    time_out: Annotated[int, Field(ge=1, le=60)] = 10
    temporary_pattern: Pattern = ""
    vendor_mails: bool = False
    inner_host_allowed: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.url.scheme != "https" and not self.inner_host_allowed:
            raise ValueError(_("The address must start with https://."))
        if self.url.username or self.url.password:
            raise ValueError(_("The address must not contain a user name or a password."))
        if len(self.url.host or "") > LONGEST_HOST:
            raise ValueError(_("The name in the address is too long."))
        if self.url.fragment is not None:
            raise ValueError(_("The address must not contain a #."))
        names = [*self.names.values(), *self.extra_parameters]
        if "" in self.extra_parameters or len(set(names)) < len(names):
            raise ValueError(_("Each parameter needs a name of its own."))
        return self

    @property
    def names(self) -> dict[Parameter, str]:
        """Under which name each parameter is sent; those left out are not in it."""
        named = {known: self.parameter_names.get(known, known.value) for known in Parameter}
        return {known: name for known, name in named.items() if name}

    @property
    def origin(self) -> str:
        """The scheme, host and port, such as 'https://vendor.example:443': what is up or down."""
        return f"{self.url.scheme}://{self.url.host}:{self.url.port}"
