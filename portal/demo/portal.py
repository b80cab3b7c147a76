"""Filling the demo: checkout pages, people, orders, and what became of some deliveries."""

import secrets

from flask_security import hash_password
from sqlalchemy import select

from portal.demo.orders import CLOSED_PAGES, PAGES, PRODUCTS, demo_orders
from portal.demo.shop import SECRET
from portal.extensions import db
from portal.fulfilment import web_service
from portal.intake.jsonl import Import
from portal.models import (
    CheckoutPage,
    Delivery,
    DeliveryStatus,
    Hook,
    License,
    PageSecret,
    Product,
    ProductText,
    Role,
    Staff,
    Tool,
)
from portal.smtp import Failure

PASSWORD = "keydesk-demo"  # noqa: S105 - of the demo alone, which listens on loopback only
OPERATOR = "operator@demo.example"
AGENT = "agent@demo.example"


def fill() -> None:
    """Make the demo's contents, unless they are there."""
    if db.session.scalar(select(Staff.id).limit(1)):
        return
    db.session.add_all(
        CheckoutPage(
            code=code, title=title, sender=sender, delivery_allowed=code not in CLOSED_PAGES
        )
        for code, (title, sender) in PAGES.items()
    )
    db.session.commit()
    complaints = list(Import().run(demo_orders()))
    if complaints:
        raise RuntimeError(f"the demo's orders are not in order: {complaints[0]}")
    _show_outcomes()
    acme = db.session.scalars(select(CheckoutPage).filter_by(code="acme-store")).one()
    _set_up(acme)
    password = hash_password(PASSWORD)
    db.session.add_all(
        [
            Staff(email=OPERATOR, role=Role.OPERATOR, password=password),
            Staff(
                email=AGENT,
                role=Role.AGENT,
                password=password,
                checkout_pages=[acme],
            ),
        ]
    )
    db.session.commit()


# The tool of each product of Acme Store; the other two come from the vendor's web service.
TOOLS = {
    "1001": Tool.WEB_SERVICE,
    "1002": Tool.WEB_SERVICE,
    "1004": Tool.LICENSE_REQUEST,
    "1006": Tool.INFORMATION,
}
INFORMATION = """Thank you for buying {PROGRAM_NAME}.

There is no license to keep: sign in at https://vpn.acme.example with {EMAIL}."""


def _set_up(page: CheckoutPage) -> None:
    """What makes a paid order a delivered license: a secret for its shop, and tools."""
    PageSecret.add(page, Hook.WEBHOOK, SECRET)
    page.vendor_email = "vendor@acme.example"
    products = Product.appear(page.id, {code: name for code, _sku, name, _cents in PRODUCTS})
    for code, tool in TOOLS.items():
        products[code].tool = tool
    ProductText.write(products["1006"], "en", subject="", body=INFORMATION, by=None)
    db.session.commit()


def point_to_vendor(url: str, secret: str) -> None:
    """Have licenses of the web service asked for at `url`, which is another one at each start."""
    settings = web_service.Settings(url=url, secret=secret, inner_host_allowed=True)
    for product in db.session.scalars(select(Product).filter_by(tool=Tool.WEB_SERVICE)):
        product.settings = settings.stored
    db.session.commit()


def _show_outcomes() -> None:
    """One order for each outcome of a delivery, and one license that nobody can read."""
    outcomes = [
        (DeliveryStatus.SENT, None, None),
        (DeliveryStatus.FAILED, Failure.ADDRESS_REFUSED, "550 5.1.1 No such user here"),
        (DeliveryStatus.FAILED, Failure.TIME_OUT, None),
        (DeliveryStatus.UNKNOWN, None, None),
    ]
    query = select(License).join(License.item).order_by(License.id.desc())
    sendable = [
        license for license in db.session.scalars(query.limit(200)) if not license.resend_refusal()
    ]
    for license, (status, failure, answer) in zip(sendable, outcomes, strict=False):
        delivery = Delivery.of(license.order, [license], by=None, token=secrets.token_urlsafe(24))
        db.session.add(delivery)
        db.session.flush()
        delivery.finish(status, failure=failure, answer=answer)
    unreadable = sendable[len(outcomes)]
    unreadable.sealed = b"\x00" * len(unreadable.sealed)
    db.session.commit()
