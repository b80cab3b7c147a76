"""Takes the oldest free licenses of a list that was uploaded beforehand."""

from pydantic import BaseModel

from portal.extensions import db
from portal.fulfilment.answer import Answer, Failure, LicenseRequest, Licenses, Trouble, Waits
from portal.models.pool import Pool
from portal.models.pool_license import PoolLicense
from portal.pools import stock
from portal.vault import vault


class Settings(BaseModel):
    """`pool_id` is the pool; with `send_what_is_there`, the customer does not wait for the rest."""

    pool_id: int
    send_what_is_there: bool = False


def obtain(request: LicenseRequest, settings: Settings) -> Answer:
    """The licenses of this item: those it has taken and not saved, and as many more as it needs.

    What was taken stays reserved for it while it waits for the rest.
    """
    pool = db.session.get(Pool, settings.pool_id)
    if pool is None:
        return Trouble(Failure.TOOL_NOT_SET_UP, is_temporary=False)
    in_parts = settings.send_what_is_there
    found = stock.reserve(pool, request.item_id, request.quantity, in_parts=in_parts)
    if found.missing and not (in_parts and found.licenses):
        return Waits(Failure.POOL_EMPTY, f"{found.missing}")
    safe = vault()
    texts = [
        safe.open(row.sealed, PoolLicense.place(row.upload_id, row.position))
        for row in found.licenses
    ]
    return Licenses(texts, [row.id for row in found.licenses], is_all=not found.missing)


def give_back(item_id: int) -> None:
    """Free what was taken for an item that needs no more, and commit. Nobody is at work on it."""
    for pool_id in {row.pool_id for row in stock.unsaved(item_id)}:
        db.session.get_one(Pool, pool_id).lock()
        stock.give_back(pool_id, [item_id])
    db.session.commit()
