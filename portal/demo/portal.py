"""Filling the demo: checkout pages, people, orders, and what became of some deliveries."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from tempfile import TemporaryFile

from flask_security import hash_password
from sqlalchemy import select

from portal import clock
from portal.demo.orders import CLOSED_PAGES, PAGES, PRODUCTS, UNUSUAL, demo_orders
from portal.demo.shop import PAGE, SECRET
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
    Pool,
    Product,
    ProductText,
    Role,
    Staff,
    Tool,
    tool_settings,
)
from portal.models.history import What
from portal.pools import uploads
from portal.pools.reading import Shape
from portal.smtp import Failure

PASSWORD = "keydesk-demo"  # noqa: S105 - of the demo alone, which listens on loopback only
OPERATOR = "operator@demo.example"
AGENT = "agent@demo.example"


def fill() -> None:
    """Make the demo's contents, unless they are there."""
    if not db.session.scalar(select(Staff.id).limit(1)):
        _fill()
    page = db.session.scalars(select(CheckoutPage).filter_by(code=PAGE)).one()
    if not PageSecret.of(page, Hook.WEBHOOK):
        _set_up(page)


def _fill() -> None:
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
    acme = db.session.scalars(select(CheckoutPage).filter_by(code=PAGE)).one()
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
    "1003": Tool.POOL,
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
    products["1003"].settings = {"pool_id": _pool().id}
    ProductText.write(products["1006"], "en", subject="", body=INFORMATION, by=None)
    db.session.commit()


def _pool() -> Pool:
    """A pool with a hundred licenses, uploaded as any are."""
    pool = Pool.add("PaperMill PDF Pro", by=None, threshold=20, warn_to="vendor@acme.example")
    db.session.commit()
    upload = uploads.begin(pool, "papermill.txt", by=None)
    with TemporaryFile() as file:
        file.writelines(f"PDF-{secrets.token_hex(6).upper()}\n".encode() for _line in range(100))
        file.seek(0)
        uploads.read(upload.id, file, Shape())
    uploads.publish(upload, by=None)
    db.session.commit()
    return pool


def point_to_vendor(url: str, secret: str) -> None:
    """Have licenses of the demo's vendor asked for at `url`, which is another one at each start.
    What somebody has set up beside stays as it is."""
    settings = web_service.Settings(url=url, secret=secret, inner_host_allowed=True)
    page = CheckoutPage.by_code(PAGE)
    for code in (code for code, tool in TOOLS.items() if tool is Tool.WEB_SERVICE):
        product = page and Product.of(page.id, code)
        if product and product.tool is Tool.WEB_SERVICE:
            product.settings = tool_settings.stored_form(settings)
    db.session.commit()


# How long the demo's mail server is said not to take an e-mail.
RESTS = timedelta(hours=6)
REFUSED = "550 5.1.1 No such user here"


def _show_outcomes() -> None:
    """One license for each outcome of a delivery, and one that nobody can read."""
    outcomes: list[Callable[[Delivery], None]] = [
        lambda delivery: delivery.finish(DeliveryStatus.SENT),
        lambda delivery: delivery.finish(
            DeliveryStatus.FAILED, failure=Failure.ADDRESS_REFUSED, answer=REFUSED
        ),
        lambda delivery: delivery.finish(DeliveryStatus.FAILED, failure=Failure.TIME_OUT),
        lambda delivery: delivery.finish(DeliveryStatus.UNKNOWN),
        lambda delivery: delivery.come_back(answer=REFUSED),
        lambda delivery: delivery.try_again(
            clock.now() + RESTS, What.EMAIL_RETRIES, failure=Failure.UNREACHABLE, answer=None
        ),
    ]
    query = select(License).join(License.item).order_by(License.id.desc())
    sendable = [
        license for license in db.session.scalars(query.limit(200)) if not license.resend_refusal()
    ]
    for license, comes_of in zip(sendable, outcomes, strict=False):
        delivery = Delivery.of(license.order, [license], by=None, token=secrets.token_urlsafe(24))
        db.session.add(delivery)
        db.session.flush()
        comes_of(delivery)
    # What may be done about it shows best where a license can be obtained again.
    unreadable = next(
        license
        for license in sendable[len(outcomes) :]
        if TOOLS.get(license.item.product_code) is not Tool.INFORMATION
        and license.text not in UNUSUAL
    )
    unreadable.sealed = b"\x00" * len(unreadable.sealed)
    db.session.commit()
