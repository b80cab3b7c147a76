"""A message whose signature is good is taken in: once, and written down with its outcome."""

from sqlalchemy.orm import selectinload

from portal.extensions import db
from portal.intake import noventiq, webhook
from portal.intake.complaints import DocumentError
from portal.intake.document import OrderDocument
from portal.intake.noventiq import message_in
from portal.intake.upsert import upsert
from portal.models import (
    CheckoutPage,
    Fulfilment,
    Hook,
    Item,
    MessageOutcome,
    Order,
    ReceivedMessage,
)

# Each knows its messages: what one is about (`subject`), and the order document in it (`read`).
KINDS = {Hook.WEBHOOK: webhook, Hook.NOVENTIQ: noventiq}


def receive(page_id: int, hook: Hook, message_id: str, body: str) -> ReceivedMessage:
    """Take a message in; the one that is there already if its id is known. Commits nothing."""
    message = ReceivedMessage.first_of_its_id(page_id, hook, message_id)
    if message is None:
        return ReceivedMessage.by_message_id(page_id, hook, message_id)
    content = message_in(body.encode())
    message.concern(*KINDS[hook].subject(content or {}))
    db.session.flush()  # whatever forgets the customer of an order finds its messages by its id
    if take_in(message, body):
        # Counted last: all others of the page wait for that, and this one may have waited long for
        # its order.
        message.keep(body)
    return message


def take_in(message: ReceivedMessage, body: str) -> bool:
    """Bring about what `message` says, and write down what became of it. Says whether its body may
    be kept, which it may not once the customer's data is erased.

    The order comes first, as everywhere, so that nobody who locks both waits in a circle.
    """
    page = db.session.get_one(CheckoutPage, message.checkout_page_id)
    order, complaint = None, None
    try:
        document = KINDS[message.hook].read(body, page.code)
        order, outcome = _write(document) if document else (None, MessageOutcome.IGNORED)
    except DocumentError as error:
        outcome, complaint = MessageOutcome.REJECTED, str(error)
    order = order or _locked_order(message)
    message.outcome, message.complaint = outcome, complaint
    return not (order and order.erased_at)


def _locked_order(message: ReceivedMessage) -> Order | None:
    """The order that `message` is about. Who is about to erase its customer is waited for: they do
    not see yet what has not been committed."""
    query = db.select(Order).filter_by(id=message.order_id).with_for_update()
    return db.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()


def _write(document: OrderDocument) -> tuple[Order, MessageOutcome]:
    """Write the order down, and begin what it waits for. Raises DocumentError."""
    (outcome,) = upsert([document])
    if isinstance(outcome, DocumentError):
        raise outcome
    order = _as_written(document.order_id)
    Fulfilment.begin(order)
    return order, MessageOutcome(outcome)


def _as_written(order_id: int) -> Order:
    """The order, which is locked by now, with all that it may wait for: in a few statements however
    many items it has."""
    db.session.expire_all()  # rows were written that the models do not know of
    items = selectinload(Order.items).joinedload(Item.fulfilment).joinedload(Fulfilment.product)
    return db.session.scalars(db.select(Order).filter_by(id=order_id).options(items)).one()
