"""An order for programs: the order document, and in it what became of the order here.

What docs/order.schema.json does not know, docs/order-document.md says: `delivered`, the `id` of
each license, whether another took its place, why it cannot be sent, the `deliveries`, and in
`history` what has happened here.
"""

from datetime import datetime
from typing import Any

from portal.models import Delivery, HistoryEntry, Item, License, Order, ReceivedMessage, Refusal

Document = dict[str, Any]


def order_document(order: Order) -> Document:
    """All of `order`, with its licenses as they are; a license that cannot be read is null."""
    return {
        "number": order.number,
        "external_id": order.external_id,
        "checkout_page": order.checkout_page.code,
        "status": order.status.value,
        "delivered": order.is_delivered,
        "created_at": moment(order.created_at),
        "paid_at": moment(order.paid_at),
        "currency": order.currency,
        "total": f"{order.total:.2f}",
        "locale": order.locale,
        "payment_method": order.payment_method,
        "customer": {
            "email": order.email,
            "first_name": order.first_name,
            "last_name": order.last_name,
            "phone": order.phone,
            "company": order.company,
            "country": order.country,
            "type": order.customer_type,
        },
        "items": [item_document(item) for item in order.items],
        "history": [entry_document(entry) for entry in order.history],
        "deliveries": [delivery_document(delivery) for delivery in order.deliveries],
    }


def item_document(item: Item) -> Document:
    """One item, with its licenses."""
    return {
        "id": item.ref,
        "product": {"id": item.product_code, "sku": item.sku, "name": item.product_name},
        "quantity": item.quantity,
        "amount": f"{item.amount:.2f}",
        "refunded_at": moment(item.refunded_at),
        "licenses": [license_document(license) for license in item.licenses],
    }


def license_document(license: License) -> Document:
    """One license: its text, and why it cannot be sent now, or null when it can."""
    refusal = license.resend_refusal()
    return {
        "id": license.id,
        "text": license.text,
        "received_at": moment(license.received_at),
        "revoked_at": moment(license.revoked_at),
        "revoked_because": license.revoked_because,
        "refused": refusal_document(refusal) if refusal else None,
    }


def refusal_document(refusal: Refusal) -> Document:
    """Why something cannot be done now."""
    return {
        "refused": refusal.word,
        "because": refusal.sentence,
        "next_step": refusal.next_step,
    }


def entry_document(entry: HistoryEntry) -> Document:
    """One entry of the history, as the page words it."""
    text = f"{entry.sentence}. {entry.reason}" if entry.reason else entry.sentence
    return {"at": moment(entry.at), "text": text}


def delivery_document(delivery: Delivery) -> Document:
    """One e-mail: which licenses went to whom, and what is known of it."""
    return {
        "id": delivery.id,
        "status": delivery.known_status.value,
        "to": delivery.to,
        "licenses": [license.id for license in delivery.licenses],
        "message_id": delivery.message_id,
        "by": delivery.by.email if delivery.by else None,
        "created_at": moment(delivery.created_at),
        "attempts": delivery.attempts,
        "due_at": moment(delivery.due_at),
        "finished_at": moment(delivery.finished_at),
        "failure": delivery.failure,
        "answer": delivery.answer,
        "outcome": delivery.outcome,
    }


def moment(time: datetime | None) -> str | None:
    """A time as RFC 3339 writes it, in UTC."""
    return time.isoformat().replace("+00:00", "Z") if time else None


def message_document(message: ReceivedMessage) -> Document:
    """What became of a message, for its sender: the first field that is wrong, where one is."""
    if message.complaint is None:
        return {"outcome": str(message.outcome), "order": message.order_number}
    field = message.complaint.partition(":")[0]
    return {"error": "unusable_message", "field": field, "because": message.complaint}
