"""Sets up a product for good, and has what waits for it worked on at once."""

from typing import Any

from portal.extensions import db
from portal.jobs import jobs
from portal.models import Fulfilment, Product, Staff


def set_up(product: Product, *, by: Staff | None, **wanted: Any) -> str | None:
    """As Product.set_up, and commit; the secret that is to be shown this once, or None. What waited
    for the product is worked on. Raises Unsound."""
    fresh_secret = product.set_up(by=by, **wanted)
    _wake(product)
    return fresh_secret


def start_failed(product: Product, *, by: Staff | None) -> int:
    """As Fulfilment.start_failed, and commit, and have it worked on. Raises Refused."""
    count = Fulfilment.start_failed(product, by=by)
    _wake(product)
    return count


def _wake(product: Product) -> None:
    woken = Fulfilment.wake(product)
    db.session.commit()
    for fulfilment_id in woken:
        jobs().fulfil(fulfilment_id)
