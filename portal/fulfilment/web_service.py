"""Asks the vendor's web service for the licenses."""

from pydantic import BaseModel

from portal.fulfilment.answer import Answer, Failure, LicenseRequest, Trouble


class Settings(BaseModel):
    """Where and how the vendor is asked."""

    url: str


def obtain(_request: LicenseRequest, _settings: Settings) -> Answer:
    """Not yet."""
    return Trouble(Failure.TOOL_NOT_SET_UP, is_temporary=False)
