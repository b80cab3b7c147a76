"""Sets up a product for good, and has what waits for it worked on at once."""

from typing import Any

from portal.extensions import db
from portal.jobs import jobs
from portal.models import Fulfilment, Product, Staff


def set_up(product: Product, *, by: Staff | None, **wanted: Any) -> str | None:
    """As Product.set_up, and commit; the secret that is to be shown this once, or None. What waited
    for the product is worked on. Raises Unsound."""
    fresh_secret = product.set_up(by=by, **wanted)
    woken = Fulfilment.wake(product)
    db.session.commit()
    for fulfilment_id in woken:
        jobs().fulfil(fulfilment_id)
    return fresh_secret
