"""The items that a worker fulfils: claimed one at a time, and found again when one was lost."""

from datetime import timedelta

from portal import clock
from portal.extensions import db
from portal.models.fulfilment import Fulfilment, FulfilmentState
from portal.models.item import Item
from portal.processes import is_gone, this_process

# Whoever claims an item has given up by then, whatever tool it asks.
CLAIM_LASTS = timedelta(minutes=3)


def claim(fulfilment_id: int) -> Fulfilment | None:
    """The fulfilment, claimed by this process, if there is something to do. Commit before you do
    it: whoever comes second finds nothing due."""
    fulfilment = db.session.get(Fulfilment, fulfilment_id)
    if fulfilment is None:
        return None
    fulfilment.item.order.lock()
    if fulfilment.state is FulfilmentState.WORKING and fulfilment.is_due:  # the claim ran out
        fulfilment.lose()
    if not fulfilment.is_due:
        return None
    fulfilment.follow_item()
    if fulfilment.refusal():
        fulfilment.stand_down()
        return None
    fulfilment.state, fulfilment.claimed_by = FulfilmentState.WORKING, this_process()
    fulfilment.due_at = clock.now() + CLAIM_LASTS
    fulfilment.started_at = fulfilment.started_at or clock.now()
    fulfilment.count_attempt()
    return fulfilment


def release_lost() -> int:
    """Take back what processes had claimed that are gone, and commit; returns how many."""
    working = db.select(Fulfilment).where(
        Fulfilment.due_at.is_not(None), Fulfilment.state == FulfilmentState.WORKING
    )
    lost = [found.id for found in db.session.scalars(working) if is_gone(found.claimed_by or "")]
    for fulfilment_id in lost:
        fulfilment = db.session.get_one(Fulfilment, fulfilment_id)
        fulfilment.item.order.lock()
        if fulfilment.state is FulfilmentState.WORKING and is_gone(fulfilment.claimed_by or ""):
            fulfilment.lose()
        db.session.commit()
    db.session.rollback()
    return len(lost)


def due_of(order_id: int) -> list[int]:
    """The ids of what is to be tried by now for one order."""
    query = (
        db.select(Fulfilment.id)
        .join(Fulfilment.item)
        .where(Item.order_id == order_id, Fulfilment.due_at <= clock.now())
        .order_by(Item.position)
    )
    return list(db.session.scalars(query))


def due(limit: int) -> list[int]:
    """The ids of what is to be tried by now, what waits longest first."""
    query = (
        db.select(Fulfilment.id)
        .where(Fulfilment.due_at <= clock.now())
        .order_by(Fulfilment.due_at)
        .limit(limit)
    )
    return list(db.session.scalars(query))
