"""The deliveries that the worker sends: claimed one by one, found again when one was lost."""

from datetime import datetime, timedelta

from portal import clock, retries
from portal.extensions import db
from portal.models.delivery import Delivery, DeliveryStatus
from portal.models.history import What
from portal.models.license import License
from portal.models.order import Order
from portal.processes import this_process
from portal.smtp import Outcome

# A slot that was missed by so much is no slot any more: what has heaped up does not go at once.
SLOT_LASTS = timedelta(seconds=30)


def claim(delivery_id: int) -> Delivery | None:
    """The queued delivery, marked as being sent by this process, if it is due and the rule lets it
    go; withheld where it does not, and due later where the rate of its checkout page says so.
    Commit before you send it: who comes second finds nothing due."""
    delivery = db.session.get(Delivery, delivery_id)
    if delivery is None:
        return None
    delivery.order.lock()
    if delivery.due_at is None or delivery.due_at > clock.now():
        return None
    if refusal := delivery.refusal():
        delivery.finish(DeliveryStatus.WITHHELD, text=refusal.sentence)
        return None
    if not _has_slot(delivery):
        return None
    delivery.status, delivery.sender = DeliveryStatus.SENDING, this_process()
    delivery.due_at = clock.now() + retries.LOST_AFTER
    delivery.attempts += 1
    delivery.choose_words()
    return delivery


def put_off(delivery_id: int, until: datetime) -> None:
    """Have a delivery that is due wait its turn `until` then, and commit."""
    db.session.execute(
        db.update(Delivery)
        .where(
            Delivery.id == delivery_id,
            Delivery.status == DeliveryStatus.QUEUED,
            Delivery.due_at <= clock.now(),
        )
        .values(due_at=until)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def slot(delivery_id: int) -> datetime | None:
    """When a delivery may go that waits for its turn, if that is to come."""
    query = db.select(Delivery.slot_at).filter_by(id=delivery_id, status=DeliveryStatus.QUEUED)
    return db.session.scalar(query.where(Delivery.slot_at > clock.now()))


def _has_slot(delivery: Delivery) -> bool:
    now = clock.now()
    if not delivery.order.checkout_page.mails_per_minute:
        return True
    if delivery.slot_at is None or delivery.slot_at < now - SLOT_LASTS:
        delivery.slot_at = delivery.order.checkout_page.next_mail_slot()
    if delivery.slot_at > clock.now():
        delivery.due_at = delivery.slot_at
        return False
    delivery.slot_at = None
    return True


def settle(delivery: Delivery, outcome: Outcome) -> None:
    """Write down what the mail server made of a delivery: it is over, or is tried again later."""
    what = {"failure": outcome.failure, "answer": outcome.answer}
    if outcome.accepted:
        delivery.finish(DeliveryStatus.SENT)
    elif outcome.accepted is None:
        _lose(delivery, **what)
    elif (due_at := _next_try(delivery)) and outcome.is_temporary:
        delivery.try_again(due_at, What.EMAIL_RETRIES, **what)
    else:
        delivery.finish(DeliveryStatus.FAILED, **what)


def settle_lost() -> list[Delivery]:
    """Settle each delivery whose sender is gone, and commit; returns them."""
    sending = db.select(Delivery).where(
        Delivery.due_at.is_not(None), Delivery.status == DeliveryStatus.SENDING
    )
    lost = [delivery for delivery in db.session.scalars(sending) if delivery.is_lost]
    for delivery in lost:
        delivery.order.lock()
        if delivery.is_lost:
            _lose(delivery)
        db.session.commit()
    db.session.rollback()
    return lost


def withhold(order: Order) -> None:
    """Withhold what is queued for `order` and that the rule refuses by now."""
    queued = db.select(Delivery).where(
        Delivery.order_id == order.id, Delivery.status == DeliveryStatus.QUEUED
    )
    for delivery in db.session.scalars(queued):
        if refusal := delivery.refusal():
            delivery.finish(DeliveryStatus.WITHHELD, text=refusal.sentence)


def leave_out(license: License) -> None:
    """Let what is queued go without `license`, which is revoked by now; withhold what carried
    nothing else."""
    queued = (
        db.select(Delivery)
        .join(Delivery.licenses)
        .where(License.id == license.id, Delivery.status == DeliveryStatus.QUEUED)
    )
    for delivery in db.session.scalars(queued):
        if len(delivery.licenses) > 1:
            delivery.licenses.remove(license)
        elif refusal := delivery.refusal():
            delivery.finish(DeliveryStatus.WITHHELD, text=refusal.sentence)


def due(limit: int) -> list[int]:
    """The ids of deliveries that are to be sent by now, those that wait longest first."""
    query = (
        db.select(Delivery.id)
        .where(Delivery.due_at <= clock.now(), Delivery.status == DeliveryStatus.QUEUED)
        .order_by(Delivery.due_at)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def _lose(delivery: Delivery, *, failure: str | None = None, answer: str | None = None) -> None:
    """Nobody knows whether it went. What the portal sends by itself is sent again then, under the
    same Message-ID: better twice than never. What a person asked for is theirs to decide."""
    due_at = _next_try(delivery) if delivery.is_automatic else None
    if due_at:
        delivery.try_again(due_at, What.EMAIL_UNKNOWN, failure=failure, answer=answer)
    else:
        delivery.finish(DeliveryStatus.UNKNOWN, failure=failure, answer=answer)


def _next_try(delivery: Delivery) -> datetime | None:
    return retries.next_try(delivery.attempts, delivery.created_at)
