"""Filling the demo: checkout pages, people, orders, and what became of some deliveries."""

import secrets

from flask_security import hash_password
from sqlalchemy import select

from portal.demo.orders import CLOSED_PAGES, PAGES, demo_orders
from portal.extensions import db
from portal.intake.jsonl import Import
from portal.models import CheckoutPage, Delivery, DeliveryStatus, License, Role, Staff
from portal.smtp import Failure

PASSWORD = "keydesk-demo"  # noqa: S105 - of the demo alone, which listens on loopback only
OPERATOR = "operator@demo.example"
AGENT = "agent@demo.example"


def fill() -> None:
    """Make the demo's contents, unless they are there."""
    if db.session.scalar(select(Staff.id).limit(1)):
        return
    pages = {
        code: CheckoutPage(
            code=code, title=title, sender=sender, delivery_allowed=code not in CLOSED_PAGES
        )
        for code, (title, sender) in PAGES.items()
    }
    db.session.add_all(pages.values())
    db.session.commit()
    complaints = list(Import().run(demo_orders()))
    if complaints:
        raise RuntimeError(f"the demo's orders are not in order: {complaints[0]}")
    _show_outcomes()
    password = hash_password(PASSWORD)
    db.session.add_all(
        [
            Staff(email=OPERATOR, role=Role.OPERATOR, password=password),
            Staff(
                email=AGENT,
                role=Role.AGENT,
                password=password,
                checkout_pages=[pages["acme-store"]],
            ),
        ]
    )
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
