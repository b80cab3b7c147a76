"""The programs that sell, which tell of their orders: each signs as its documentation says."""

import json
from datetime import UTC, datetime
from hashlib import sha512
from http.client import HTTPConnection
from uuid import uuid4

from standardwebhooks import Webhook

from tests.people import order_document
from tests.support.portal import PlainBrowser


def message(type_="order.paid", *, at="2026-11-02T10:05:00+01:00", **changes):
    """A message of our own webhook about the ordinary order, whose licenses are yet to come."""
    data = order_document(**{"codes": []} | changes)
    return {"type": type_, "timestamp": at, "data": data}


def created(*, at="2026-11-02T10:00:00+01:00", **changes):
    """The message that the ordinary order was placed."""
    return message("order.created", at=at, **{"status": "not paid", "paid_at": None} | changes)


def part(event="order.payment.succeeded", *, code="1001", number=1, of=1, paid=True, **changes):
    """A message of Noventiq Checkout about one product of the ordinary order."""
    given = {
        "event": event,
        "event_date": "2026-11-02T10:05:00+01:00",
        "order_id": 5555555,
        "order_name": "A0005555555",
        "status": "paid" if paid else "not paid",
        "external_id": "",
        "create_date": "2026-11-02T10:00:00+01:00",
        "pay_date": "2026-11-02T10:05:00+01:00" if paid else "",
        "currency": "EUR",
        "locale": "en_EN",
        "order_detail_url": "https://shop.example/order/status/5555555/1a97507",
        "document_part": f"{number}-of-{of}",
        "customer": {
            "country": "DE",
            "type": "physical",
            "email": "kim@example.com",
            "first_name": "Kim",
            "last_name": "Larsen",
            "phone": "",
            "vat_number": "",
            "company_name": "",
        },
        "product": {
            "id": code,
            "vendor_code": "",
            "sku": f"SKU-{code}",
            "name": f"Product {code}",
            "price": "29.95",
            "quantity": 1,
            "discount_percent": "",
            "discount_amount": "",
            "vat_amount": "0.00",
            "amount": "29.95",
        },
        "payment": {
            "payment_method": "CreditCard",
            "payment_system_name": "Bank Card",
            "card_type": "",
            "card_last_4": None,
        },
    }
    for name, value in changes.items():
        given[name] = given[name] | value if isinstance(value, dict) else value
    return given


def signed(secret, body, *, id=None, at=None):
    """The headers of Standard Webhooks for `body`."""
    id, at = id or f"msg_{uuid4().hex}", at or datetime.now(UTC)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, at, body),
        "Content-Type": "application/json",
    }


def noventiq_signature(secret, given):
    """The signature as Noventiq documents it."""
    fields = [
        secret,
        given["event"],
        given["order_id"],
        given["create_date"],
        given["payment"]["payment_method"],
        given["currency"],
        given["customer"]["email"],
    ]
    return sha512(";".join(map(str, fields)).encode()).hexdigest()


class Sender:
    """A program that knows a secret of a checkout page, and tells it what happened."""

    def __init__(self, app, path, secret):
        self.path, self.secret = path, secret
        self._browser = PlainBrowser(app)

    def post(self, body, headers=()):
        """The answer to whatever is sent."""
        return self._browser.open(self.path, method="POST", data=body, headers=headers).response

    def tell(self, given, **how):
        """The answer to a signed message; `how` as `signed`."""
        body, headers = self.request(given, **how)
        return self.post(body, headers)

    def request(self, given, **how):
        """The body and the headers of a signed message."""
        body = json.dumps(given)
        if self.path.endswith("/noventiq"):
            signature = noventiq_signature(self.secret, given)
            return body, {"signature": signature, "Content-Type": "application/json"}
        return body, signed(self.secret, body, **how)


def tell_over_http(port, path, body, headers, pieces=None):
    """The status and the content of the answer of a portal that listens on `port`.

    With `pieces` the body comes in pieces of so many bytes, and does not say how long it is.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    sent = body
    if pieces:
        sent = [body[start : start + pieces].encode() for start in range(0, len(body), pieces)]
    try:
        connection.request("POST", path, body=sent, headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
