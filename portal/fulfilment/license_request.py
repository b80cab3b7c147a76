"""No automatic tool: the vendor's staff are mailed, and enter the license in the portal."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from portal.fulfilment.answer import Answer, Failure, LicenseRequest, Waits
from portal.models.page_settings import ADDRESS_LENGTH, sound_address


def _address_or_nothing(text: str) -> str:
    return sound_address(text) if text.strip() else ""


class Settings(BaseModel):
    """`notify` is who is mailed when an item needs a license."""

    model_config = ConfigDict(hide_input_in_errors=True)

    notify: Annotated[
        str, Field(max_length=ADDRESS_LENGTH), AfterValidator(_address_or_nothing)
    ] = ""


def obtain(_request: LicenseRequest, settings: Settings) -> Answer:
    """Nothing but patience."""
    return Waits(Failure.LICENSE_AWAITED, notify=settings.notify)
