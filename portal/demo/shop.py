"""The shop of the demo: it tells the portal of a paid order, as a vendor's own program does."""

import json
import random
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from uuid import uuid4

from standardwebhooks import Webhook

from portal.demo.orders import PRODUCTS, Document

# Known to everybody, as the passwords of the demo are: it listens on loopback only.
SECRET = "whsec_a2V5ZGVzay1kZW1vLW9ubHktbm90LWEtc2VjcmV0IQ=="  # noqa: S105
PAGE = "acme-store"


class ShopError(Exception):
    """The portal did not take the order; the message says why."""


def paid_order(codes: list[str], email: str, quantity: int) -> Document:
    """A message that an order of one item for each product code was paid a moment ago."""
    names = {code: (sku, name, cents) for code, sku, name, cents in PRODUCTS}
    now = datetime.now(UTC)
    items = []
    for number, code in enumerate(codes, 1):
        sku, name, cents = names[code]
        items.append(
            {
                "id": str(number),
                "product": {"id": code, "sku": sku, "name": name},
                "quantity": quantity,
                "amount": f"{cents * quantity / 100:.2f}",
            }
        )
    order = {
        "number": f"A{random.randint(7_000_000_000, 7_999_999_999)}",  # noqa: S311
        "checkout_page": PAGE,
        "status": "paid",
        "created_at": (now - timedelta(minutes=2)).isoformat(timespec="seconds"),
        "paid_at": now.isoformat(timespec="seconds"),
        "currency": "EUR",
        "total": f"{sum(names[code][2] for code in codes) * quantity / 100:.2f}",
        "locale": "en",
        "customer": {"email": email, "first_name": "Kim", "last_name": "Larsen", "country": "DK"},
        "items": items,
    }
    return {"type": "order.paid", "timestamp": now.isoformat(), "data": order}


def tell(portal: str, message: Document) -> Document:
    """Send `message`, signed, to the portal at this address; what it answered. Raises ShopError."""
    body, id, now = json.dumps(message), f"msg_{uuid4().hex}", datetime.now(UTC)
    request = Request(  # noqa: S310 - an address of ours
        f"{portal}/hooks/{PAGE}",
        body.encode(),
        {
            "Content-Type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(id, now, body),
        },
    )
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            found: Document = json.load(answer)
            return found
    except HTTPError as error:
        raise ShopError(f"{error.code} {error.read().decode(errors='replace')}") from None
    except (URLError, OSError) as error:
        raise ShopError(
            f"nobody answers at {portal}: does the demo run, and on this port? "
            f"({getattr(error, 'reason', error)})"
        ) from None
