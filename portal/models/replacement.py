"""Another license in the place of a faulty one, which is revoked and never goes back to a pool."""

from portal import clock
from portal.extensions import db
from portal.models import outbox
from portal.models.delivery import Delivery
from portal.models.history import HistoryEntry, What
from portal.models.license import License
from portal.models.refusal import Refused
from portal.models.staff import Staff
from portal.pools import sold

# As long as the column.
LONGEST_REASON = 200


def replace(license: License, text: str, *, because: str, by: Staff, token: str) -> Delivery:
    """Revoke `license` and save `text` in its place; the delivery of the new one that is to be
    sent, one for each `token`. Raises Refused."""
    if refusal := license.replacement_refusal():
        raise Refused(refusal)
    sold.hold([text], license.item)
    license.revoked_at, license.revoked_because = clock.now(), because
    outbox.withhold(license.order)
    new = License.saved(license.item, text)
    sold.take_out([text])
    db.session.add(
        HistoryEntry(
            order_id=license.item.order_id,
            what=What.LICENSE_REPLACED,
            at=clock.now(),
            by_id=by.id,
            text=f"{because} ({license.name})",
        )
    )
    return Delivery.automatic(license.item, [new], token=token)
