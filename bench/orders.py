"""The orders of the benchmark: as many as asked, realistic, and the same each time.

Names and products repeat as they do in a shop. Some twenty orders have words that no other has, so
that a search for them has a few answers among all.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from portal.demo.orders import FIRST_NAMES, LAST_NAMES, LETTERS, PLACES, PRODUCTS

Document = dict[str, Any]

SEED = 7
NEWEST = datetime(2026, 10, 31, 12, tzinfo=UTC)
FIRST_NUMBER = 10_000_001

# The first two are the agent's.
PAGES = {"acme-store": "Acme Store", "nordsoft": "Nordsoft", "zenith": "Zenith", "papero": "Papero"}
AGENTS_PAGES = ["acme-store", "nordsoft"]

COMPANIES = [
    "Brightwater",
    "Kessler & Söhne",
    "Lumière",
    "Iguana",
    "Northgate",
    "Halden",
    "Mistral",
]
MAIL_HOSTS = ["mail.example", "post.example", "example.com", "example.org"]
STATUSES = {"paid": 85, "not paid": 10, "deleted": 4, "terminated": 1}

RARE_NAME = ("Theodora", "Quillfeather")
RARE_COMPANY = "Wyvern Optics Ltd"
RARE_PRODUCT = ("7777", "THEO", "Zodiac Theodolite", 84900)
RARE_CODE_END = "X9ZQ7W"
RARE_ORDERS = 20


def lines(count: int) -> Iterator[bytes]:
    """The lines of an import file with `count` orders, the oldest first."""
    chance = Random(SEED)
    for index in range(count):
        document = _order(chance, index, count)
        yield json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def number_of(index: int) -> str:
    """The number of the order at `index`, counted from the oldest."""
    return f"A{FIRST_NUMBER + index:010}"


def rare_index(count: int) -> int:
    """The index of an order with rare words, in the middle of `count`."""
    return (count // 2) // _step(count) * _step(count)


def _step(count: int) -> int:
    return max(count // RARE_ORDERS, 1)


def _order(chance: Random, index: int, count: int) -> Document:
    rare = index % _step(count) == 0
    created = NEWEST - timedelta(minutes=2 * (count - index), seconds=chance.randrange(100))
    (status,) = ["paid"] if rare else chance.choices(list(STATUSES), list(STATUSES.values()))
    paid = created + timedelta(minutes=chance.randrange(1, 90)) if status != "not paid" else None
    country, locale = chance.choice(PLACES)
    items = _items(chance, status, paid, rare=rare)
    return {
        "number": number_of(index),
        "external_id": f"EXT-{index % 100_000:05}-{chance.randrange(1000):03}",
        "checkout_page": AGENTS_PAGES[0] if rare else chance.choice(list(PAGES)),
        "status": status,
        "created_at": created.isoformat(),
        "paid_at": paid.isoformat() if paid else None,
        "currency": "EUR" if index % 3 else "USD",
        "total": items[0]["amount"],
        "locale": locale,
        "payment_method": "CreditCard" if index % 4 else "PayPal",
        "customer": _customer(chance, country, index, rare=rare),
        "items": items,
        "history": _history(created, paid, status),
    }


def _customer(chance: Random, country: str, index: int, *, rare: bool) -> Document:
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    company = f"{chance.choice(COMPANIES)} {index % 997} Ltd" if index % 3 == 0 else None
    if rare:
        (first, last), company = RARE_NAME, RARE_COMPANY
    local = f"{first}.{last}".encode("ascii", "ignore").decode().lower()
    return {
        "email": f"{local}.{index}@{chance.choice(MAIL_HOSTS)}",
        "first_name": first,
        "last_name": last,
        "company": company,
        "country": country,
        "phone": f"+49 30 {chance.randrange(10**6, 10**7)}" if index % 2 else None,
        "type": "legal" if company else "physical",
    }


def _items(chance: Random, status: str, paid: datetime | None, *, rare: bool) -> list[Document]:
    products = [RARE_PRODUCT] if rare else chance.sample(PRODUCTS, 1 + (chance.random() < 0.15))
    fulfilled = paid and (rare or chance.random() < 0.98)
    items = []
    for ref, (code, sku, name, price) in enumerate(products, 1):
        quantity = 1 if chance.random() < 0.9 else 2
        end = RARE_CODE_END if rare else ""
        licenses = [
            {"text": _code(chance, end), "received_at": paid.isoformat()}
            for _ in range(quantity if paid and fulfilled else 0)
        ]
        refunded = paid + timedelta(days=2) if paid and status == "deleted" else None
        items.append(
            {
                "id": str(ref),
                "product": {"id": code, "sku": sku, "name": name},
                "quantity": quantity,
                "amount": f"{price * quantity // 100}.{price * quantity % 100:02}",
                "refunded_at": refunded.isoformat() if refunded else None,
                "licenses": licenses,
            }
        )
    return items


def _code(chance: Random, end: str) -> str:
    signs = "".join(chance.choices(LETTERS, k=25 - len(end))) + end
    return "-".join(signs[start : start + 5] for start in range(0, 25, 5))


def _history(created: datetime, paid: datetime | None, status: str) -> list[Document]:
    entries = [{"at": created.isoformat(), "text": "Order created"}]
    if paid:
        entries.append({"at": paid.isoformat(), "text": "Payment received"})
    if paid and status == "deleted":
        refunded = paid + timedelta(days=2)
        entries.append({"at": refunded.isoformat(), "text": "Order refunded and deleted"})
    return entries
