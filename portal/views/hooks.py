"""/hooks/<checkout page>: what happened to an order, told by the programs that sell.

Whoever signs with a secret of the checkout page is let in; there is no session and no form. There
is no limit on how often either: a secret is too long to be guessed, one address may send for many
checkout pages, and a message that is refused costs one statement, which waits for nobody.
"""

from flask import Blueprint, current_app, request

from portal.access import signed_messages
from portal.database.reading import begin_reading
from portal.export import Document, message_document
from portal.extensions import db
from portal.intake import noventiq, webhook
from portal.intake.reception import receive
from portal.jobs import jobs
from portal.models import Hook, MessageOutcome, PageSecret

bp = Blueprint("hooks", __name__, url_prefix="/hooks/<code>")

Answer = tuple[Document, int]

# One answer to all that is not signed as it should be, whatever the reason.
UNSIGNED: Answer = (
    {
        "error": "unauthorized",
        "because": "There is no such checkout page, or the signature is missing, wrong or old.",
    },
    401,
)
NOT_ENCRYPTED: Answer = (
    {
        "error": "not_encrypted",
        "because": "This signature does not cover the whole message: send it to https:// alone.",
    },
    403,
)


@bp.post("")
@signed_messages
def create(code: str) -> Answer:
    """Take in a message of our own webhook: 200 and its outcome, or 422 and why it was rejected,
    and the same again for the same id; 401 where it is not signed."""
    body = _body()
    page_id, secrets = _secrets(code, Hook.WEBHOOK)
    signed = webhook.is_signed(body, request.headers, secrets)
    if page_id is None or not signed:
        return UNSIGNED
    return _take_in(page_id, Hook.WEBHOOK, webhook.message_id(request.headers), body)


@bp.post("/noventiq")
@signed_messages
def create_noventiq(code: str) -> Answer:
    """The same for a message of Noventiq Checkout, and 403 where it was not sent over TLS."""
    # As with the cookie of a session: a portal that is reached in the clear has to say so.
    if current_app.config["SESSION_COOKIE_SECURE"] and not request.is_secure:
        return NOT_ENCRYPTED
    request.max_content_length = noventiq.LARGEST
    body = _body()
    signature = request.headers.get("signature", "")
    if not noventiq.can_be_signature(signature):
        return UNSIGNED
    page_id, secrets = _secrets(code, Hook.NOVENTIQ)
    # What was signed stands inside: it has to be read before anybody has vouched for it.
    message = (noventiq.message_in(body) if secrets else None) or {}
    if page_id is None or not noventiq.is_signed(message, signature, secrets):
        return UNSIGNED
    return _take_in(page_id, Hook.NOVENTIQ, noventiq.message_id(message), body)


def _body() -> bytes:
    """The content, which is too large over the limit. Werkzeug cuts off there, and says
    nothing, what comes in pieces: that there is more it says to who asks for more."""
    body = request.get_data()
    if request.content_length is None:
        request.stream.read(1)
    return body


def _secrets(code: str, hook: Hook) -> tuple[int | None, list[str]]:
    """What a message to this page may be signed with, read without waiting for who writes."""
    begin_reading(db.session())
    known = PageSecret.known_by(code, hook)
    db.session.rollback()
    return known


def _take_in(page_id: int, hook: Hook, message_id: str, body: bytes) -> Answer:
    message = receive(page_id, hook, message_id, body.decode())
    answer, order_id = message_document(message), message.order_id
    rejected = message.outcome is MessageOutcome.REJECTED
    db.session.commit()  # answered when it is written down, and before anything is made of it
    if order_id and not rejected:
        jobs().fulfil_order(order_id)
    return answer, 422 if rejected else 200
