"""/api/v1: orders and resends for a team's own programs, which sign with a personal token."""

import re
import secrets
from hashlib import sha256

from flask import Blueprint, abort, request
from sqlalchemy.orm import joinedload, selectinload

from portal import postman
from portal.access import current_staff, license_or_404, order_or_404, token_only
from portal.delivery_tokens import TokenSpent
from portal.export import Document, delivery_document, order_document, refusal_document
from portal.jobs import jobs
from portal.models import Delivery, HistoryEntry, Item, Order, Refused, Staff

bp = Blueprint("api", __name__, url_prefix="/api/v1")

KEY_USED = "This Idempotency-Key was used for another license. Nothing was sent."

# Visible ASCII, as HTTP allows it in a header.
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")

WITH_ALL = (
    joinedload(Order.checkout_page),
    selectinload(Order.items).selectinload(Item.licenses),
    selectinload(Order.deliveries).selectinload(Delivery.licenses),
    selectinload(Order.deliveries).joinedload(Delivery.by).lazyload(Staff.checkout_pages),
    selectinload(Order.history).joinedload(HistoryEntry.by).lazyload(Staff.checkout_pages),
)


@bp.get("/orders/<number>")
@token_only(may="read")
def show_order(number: str) -> Document:
    """The order document with what is beyond it, see export.py."""
    return order_document(order_or_404(number, *WITH_ALL))


@bp.post("/orders/<number>/licenses/<int:license_id>/resends")
@token_only(may="resend")
def create_resend(number: str, license_id: int) -> tuple[Document, int]:
    """201 and the delivery, also when its Idempotency-Key is sent again; 409 and the refusal, 400
    for a key that cannot be one, 422 for one that was used for another license."""
    license = license_or_404(number, license_id)
    try:
        delivery = postman.resend(license, by=current_staff, token=_token())
    except TokenSpent:
        return {"error": "idempotency_key_used", "because": KEY_USED}, 422
    except Refused as refused:
        return refusal_document(refused.refusal), 409
    jobs().follow(delivery)
    return delivery_document(delivery), 201


def _token() -> str:
    """The token of this request: that of its Idempotency-Key, where it has one, so that the same
    request sent again sends nothing again. Keys of two people never meet."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return secrets.token_urlsafe(24)
    if not IDEMPOTENCY_KEY.fullmatch(key):
        abort(400)
    return "api-" + sha256(f"{current_staff.id} {key}".encode()).hexdigest()[:48]
