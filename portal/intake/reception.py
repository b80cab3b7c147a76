"""A message whose signature is good is taken in: once, and written down with its outcome."""

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
    MessageOutcome,
    Order,
    ReceivedMessage,
)

# Each knows its messages: what one is about (`subject`), and the order document in it (`read`).
KINDS = {Hook.WEBHOOK: webhook, Hook.NOVENTIQ: noventiq}


def receive(page_id: int, hook: Hook, message_id: str, body: str) -> ReceivedMessage:
    """Take a message in; the one that is there already if its id is known. Commits nothing."""
    message = ReceivedMessage.first_of_its_id(page_id, hook, message_id, body)
    if message is None:
        return ReceivedMessage.by_message_id(page_id, hook, message_id)
    content = message_in(body.encode())
    message.concern(*KINDS[hook].subject(content or {}))
    db.session.flush()  # whatever forgets the customer of an order finds its messages by its id
    take_in(message, body)
    return message


def take_in(message: ReceivedMessage, body: str) -> None:
    """Bring about what `message` says, and write down what became of it.

    The order comes first, as everywhere, so that nobody who locks both waits in a circle.
    """
    page = db.session.get_one(CheckoutPage, message.checkout_page_id)
    complaint = None
    try:
        document = KINDS[message.hook].read(body, page.code)
        outcome = _write(document) if document else MessageOutcome.IGNORED
    except DocumentError as error:
        outcome, complaint = MessageOutcome.REJECTED, str(error)
    message.outcome, message.complaint = outcome, complaint
    db.session.flush()


def _write(document: OrderDocument) -> MessageOutcome:
    """Write the order down, and begin what it waits for. Raises DocumentError."""
    (outcome,) = upsert([document])
    if isinstance(outcome, DocumentError):
        raise outcome
    db.session.expire_all()  # rows were written that the models do not know of
    Fulfilment.begin(db.session.get_one(Order, document.order_id))
    return MessageOutcome(outcome)
