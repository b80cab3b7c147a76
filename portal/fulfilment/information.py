"""An e-mail that says all there is to say: no license is saved, so nothing can be resent."""

from pydantic import BaseModel

from portal.fulfilment.answer import Answer, DoneElsewhere, LicenseRequest


class Settings(BaseModel):
    """Nothing to set but the texts of the product."""


def obtain(_request: LicenseRequest, _settings: Settings) -> Answer:
    """Nothing to obtain."""
    return DoneElsewhere(email=True)
