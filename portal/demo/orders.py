"""Orders for the demo: about 200, realistic, in every state that a page can show."""

import json
import random
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from portal import clock

Document = dict[str, Any]

COUNT = 200
SEED = 20
# Of each checkout page its title, and where its mail comes from.
PAGES = {
    "acme-store": ("Acme Store", "shop@acme.example"),
    "nordsoft": ("Nordsoft", "licenses@nordsoft.example"),
    "retired-shop": ("Retired Shop", None),
}
CLOSED_PAGES = {"retired-shop"}

PRODUCTS = [
    ("1001", "AV-1Y", "Sentinel Antivirus, 1 year", 2995),
    ("1002", "AV-3Y", "Sentinel Antivirus, 3 years", 6995),
    ("1003", "PDF-PRO", "PaperMill PDF Pro", 12900),
    ("1004", "OFF-H", "OfficeBox Home", 4900),
    ("1005", "CAD-LT", "DraftLine CAD LT", 39900),
    ("1006", "VPN-M", "TunnelFox VPN, monthly", 599),
]
FIRST_NAMES = [
    "Ada",
    "Ben",
    "Chloé",
    "Dmitri",
    "Elif",
    "Fatima",
    "Greta",
    "Hiro",
    "Inés",
    "João",
    "Kim",
    "Lars",
    "Mei",
    "Nikos",
    "Olga",
    "Priya",
]
LAST_NAMES = [
    "Almeida",
    "Bauer",
    "Çelik",
    "Dubois",
    "Evans",
    "Fischer",
    "García",
    "Haddad",
    "Ito",
    "Jensen",
    "Kowalska",
    "Li",
    "Ng",
    "Öz",
    "Tan",
]
COMPANIES = [
    None,
    None,
    None,
    "Brightwater Ltd",
    "Kessler & Söhne GmbH",
    "Ateliers Lumière",
    "Iguana <Labs>",
]
PLACES = [
    ("DE", "de"),
    ("FR", "fr"),
    ("ES", "es"),
    ("BR", "pt-BR"),
    ("GB", "en"),
    ("US", "en"),
    ("JP", "en_EN"),
]
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

ACTIVATION_FILE = """-----BEGIN ACTIVATION-----
user: demo@example.com  seats: 25
9f2c 77b1 0a4e c3d8 5561 ee20 b7aa 1c0f
42d9 8e6b f013 97cc 20ab 65fe 04d1 b8e7
-----END ACTIVATION-----"""

UNUSUAL = [
    "https://activate.example.com/?code=A%20B&lang=en#step<2>",
    '0007-"quoted"-<b>&amp;-100%',
    "مفتاح-الترخيص-12345",
    "🔑 KEY-🚀-42",
    ACTIVATION_FILE,
    "LONG-" + "0123456789ABCDEF" * 120,
]


def demo_orders() -> Iterator[bytes]:
    """The lines of the demo's import file; the same orders each time, but for their dates."""
    chance = random.Random(SEED)  # noqa: S311 - nothing secret comes of it
    start = clock.now().replace(second=0, microsecond=0) - timedelta(hours=1)
    for index in range(COUNT):
        created = start - timedelta(minutes=index * index * 9 + chance.randrange(60))
        yield json.dumps(_order(chance, 5555555 - index, created, index)).encode() + b"\n"


def _order(chance: random.Random, number: int, created: datetime, index: int) -> Document:
    country, locale = chance.choice(PLACES)
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    company = chance.choice(COMPANIES)
    status = "paid" if index < 3 else chance.choices(["paid", "not paid", "deleted"], [16, 2, 1])[0]
    if 3 <= index < 3 + len(UNUSUAL):
        status = "paid"
    status = {40: "terminated", 60: "not paid"}.get(index, status)
    paid_at = created + timedelta(minutes=chance.randrange(1, 90)) if status != "not paid" else None
    items = _items(chance, status, created, paid_at, index)
    email = _plain(f"{first}.{last}@example.{chance.choice(['com', 'org', 'net'])}".lower())
    customer = {
        "email": None if index == 25 else email,
        "first_name": None if index == 25 else first,
        "last_name": None if index == 25 else last,
        "company": company,
        "country": country,
        "phone": chance.choice([None, "+49 30 5550123"]),
        "type": "legal" if company else "physical",
    }
    return {
        "number": f"A{number:010}",
        "external_id": f"EXT-{number % 1000}" if index % 3 == 0 else None,
        "checkout_page": "retired-shop" if index == 30 else list(PAGES)[index % 5 == 4],
        "status": status,
        "created_at": created.isoformat(),
        "paid_at": paid_at.isoformat() if paid_at else None,
        "currency": chance.choice(["EUR", "EUR", "USD"]),
        "total": _euros(sum(int(item["amount"].replace(".", "")) for item in items)),
        "locale": locale,
        "payment_method": chance.choice(["CreditCard", "PayPal", "WireTransfer"]),
        "customer": customer,
        "items": items,
        "history": _history(created, paid_at, status),
    }


def _items(
    chance: random.Random, status: str, created: datetime, paid_at: datetime | None, index: int
) -> list[Document]:
    count = 3 if index == 2 else chance.choices([1, 2], [5, 1])[0]
    items = [
        _item(chance, ref, product, status, paid_at)
        for ref, product in enumerate(chance.sample(PRODUCTS, count), 1)
    ]
    if index == 2 and paid_at:  # a partial refund: the order stays paid
        items[0]["refunded_at"] = (paid_at + timedelta(minutes=20)).isoformat()
    if 3 <= index < 3 + len(UNUSUAL) and paid_at:
        items[0]["licenses"] = items[0]["licenses"] or [{"received_at": paid_at.isoformat()}]
        items[0]["licenses"][0]["text"] = UNUSUAL[index - 3]
    if index == 60:  # a payment that was taken back: what was saved before may not be sent
        received = (created + timedelta(minutes=5)).isoformat()
        items[0]["licenses"] = [{"text": _code(chance), "received_at": received}]
    if index == 50 and paid_at:
        received = paid_at.isoformat()
        items[0]["quantity"] = 40
        items[0]["licenses"] = [{"text": _code(chance), "received_at": received} for _ in range(40)]
    return items


def _item(
    chance: random.Random,
    ref: int,
    product: tuple[str, str, str, int],
    status: str,
    paid_at: datetime | None,
) -> Document:
    code, sku, name, price = product
    quantity = chance.choices([1, 2, 5], [12, 2, 1])[0]
    fulfilled = paid_at and (status == "deleted" or chance.random() < 0.9)
    received = paid_at.isoformat() if paid_at else None
    licenses = [{"text": _code(chance), "received_at": received} for _ in range(quantity)]
    refunded = paid_at and status == "deleted"
    return {
        "id": str(ref),
        "product": {"id": code, "sku": sku, "name": name},
        "quantity": quantity,
        "amount": _euros(price * quantity),
        "refunded_at": (paid_at + timedelta(days=2)).isoformat() if refunded and paid_at else None,
        "licenses": licenses if fulfilled else [],
    }


def _history(created: datetime, paid_at: datetime | None, status: str) -> list[Document]:
    entries = [{"at": created.isoformat(), "text": "Order created"}]
    if paid_at:
        entries.append({"at": paid_at.isoformat(), "text": "Payment received"})
    if paid_at and status == "deleted":
        refunded = (paid_at + timedelta(days=2)).isoformat()
        entries.append({"at": refunded, "text": "Order refunded and deleted"})
    return entries


def _plain(address: str) -> str:
    """The address in ASCII, as most people write their name there: `João` is `joao`."""
    return unicodedata.normalize("NFKD", address).encode("ascii", "ignore").decode()


def _code(chance: random.Random) -> str:
    return "-".join("".join(chance.choices(LETTERS, k=5)) for _ in range(5))


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
