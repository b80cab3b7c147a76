"""No automatic tool: the vendor's staff are mailed, and enter the license in the portal."""

from typing import Annotated

from pydantic import BaseModel, Field

from portal.fulfilment.answer import Answer, Failure, LicenseRequest, Waits


class Settings(BaseModel):
    """`notify` is who is mailed when an item needs a license."""

    notify: Annotated[str, Field(max_length=254)] = ""


def obtain(_request: LicenseRequest, settings: Settings) -> Answer:
    """Nothing but patience."""
    return Waits(Failure.LICENSE_AWAITED, notify=settings.notify)
