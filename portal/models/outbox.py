"""The deliveries that the worker sends: claimed one by one, found again when one was lost."""

from datetime import datetime, timedelta

from sqlalchemy.orm import selectinload

from portal import clock, retries
from portal.extensions import db
from portal.models.checkout_page import CheckoutPage
from portal.models.delivery import Delivery, DeliveryStatus
from portal.models.history import What
from portal.models.order import Order
from portal.smtp import Failure, Outcome

# A slot that was missed by so much is no slot any more: what has heaped up does not go at once.
SLOT_LASTS = timedelta(seconds=30)


def claim(delivery_id: int) -> Delivery | None:
    """The queued delivery, marked as being sent by this process, if it is due and the rule lets it
    go; withheld where it does not, and due later where the rate of its checkout page says so.
    Commit before you send it: who comes second finds nothing due. Nothing is written to it before
    its checkout page is locked, which whoever changes the rate locks first."""
    delivery = db.session.get(Delivery, delivery_id)
    if delivery is None:
        return None
    delivery.order.lock()
    if delivery.is_lost:
        _lose(delivery)
    if not delivery.is_due:
        return None
    if refusal := delivery.refusal():
        delivery.finish(DeliveryStatus.WITHHELD, text=refusal.sentence)
        return None
    if not _has_slot(delivery):
        return None
    delivery.follow()
    delivery.choose_words()
    delivery.begin()
    return delivery


def put_off(delivery_id: int) -> None:
    """Try a delivery later whose claim broke down."""
    delivery = db.session.get(Delivery, delivery_id)
    if delivery is None:
        return
    delivery.order.lock()
    if delivery.is_due:
        delivery.begin()
        _try_again_or_fail(delivery, failure=Failure.UNEXPECTED)


def let_wait(delivery_id: int, until: datetime) -> None:
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


def give_up_slots(page: CheckoutPage) -> None:
    """Let what waits for its turn ask for another one: the rate of `page`, which is locked, is not
    what the turns were given by."""
    waiting = (
        db.update(Delivery)
        .where(
            Delivery.due_at.is_not(None),  # the few that are under way, see their index
            Delivery.status == DeliveryStatus.QUEUED,
            Delivery.slot_at.is_not(None),
            Delivery.order.has(checkout_page_id=page.id),
        )
        .values(slot_at=None, due_at=clock.now())
    )
    page.next_mail_at = None
    db.session.execute(waiting, execution_options={"synchronize_session": "fetch"})


def settle(delivery: Delivery, outcome: Outcome) -> None:
    """Write down what the mail server made of a delivery: it is over, or is tried again later."""
    what = {"failure": outcome.failure, "answer": outcome.answer}
    if outcome.accepted:
        delivery.finish(DeliveryStatus.SENT)
    elif outcome.accepted is None:
        _lose(delivery, **what)
    elif _may_go_later(delivery, outcome):
        _try_again_or_fail(delivery, **what)
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
    """Bring what is queued for `order` up to date, and withhold what the rule refuses by now."""
    queued = db.select(Delivery).where(
        Delivery.order_id == order.id, Delivery.status == DeliveryStatus.QUEUED
    )
    for delivery in db.session.scalars(queued.options(selectinload(Delivery.licenses))):
        delivery.follow()
        if refusal := delivery.refusal():
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
    delivery.may_have_left = True
    due_at = _next_try(delivery) if delivery.is_automatic else None
    if due_at:
        delivery.try_again(due_at, What.EMAIL_LOST, failure=failure, answer=answer)
    else:
        delivery.finish(DeliveryStatus.UNKNOWN, failure=failure, answer=answer)


def _may_go_later(delivery: Delivery, outcome: Outcome) -> bool:
    """Whether it is worth another try. Of what is ours to mend a person who is waiting hears at
    once; where nobody waits, it is mended some day."""
    nobody_waits = delivery.is_automatic or delivery.attempts > 1
    return outcome.is_temporary or (outcome.is_ours and nobody_waits)


def _try_again_or_fail(
    delivery: Delivery, *, failure: str | None, answer: str | None = None
) -> None:
    if due_at := _next_try(delivery):
        what = What.EMAIL_LOST if delivery.may_have_left else What.EMAIL_RETRIES
        delivery.try_again(due_at, what, failure=failure, answer=answer)
    else:
        delivery.finish(DeliveryStatus.FAILED, failure=failure, answer=answer)


def _next_try(delivery: Delivery) -> datetime | None:
    return retries.next_try(delivery.attempts, delivery.started_at or clock.now())
