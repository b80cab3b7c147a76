"""An e-mail that says all there is to say: no license is saved, so nothing can be resent."""

from pydantic import BaseModel

from portal.extensions import db
from portal.fulfilment.answer import Answer, DoneElsewhere, Failure, LicenseRequest, Trouble
from portal.models import ProductText


class Settings(BaseModel):
    """Nothing to set but the texts of the product."""


def obtain(request: LicenseRequest, _settings: Settings) -> Answer:
    """Nothing to obtain, as long as there is something to say."""
    texts = db.select(ProductText.id).filter_by(product_id=request.product_id)
    texts = texts.where(ProductText.body != "")
    has_text = db.session.scalar(db.select(texts.exists()))
    db.session.rollback()
    if not has_text:
        return Trouble(Failure.TEXT_MISSING, is_temporary=False)
    return DoneElsewhere(email=True)
