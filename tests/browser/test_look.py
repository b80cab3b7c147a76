"""Every page, light and dark, on a phone and on a desk: nothing for axe-core, nothing overflows."""

import pytest
from flask_security.recoverable import generate_reset_password_token
from playwright.sync_api import expect

from portal import jobs
from portal.extensions import db
from portal.models import Delivery, DeliveryStatus, OrderStatus
from portal.smtp import Failure
from tests.people import bring_in, item_document, order_document
from tests.pools import paid, put_in, upload_of

SCHEMES = ["light", "dark"]
WIDTHS = [390, 1280]
ORDER = "/orders/A0005555555"

pytestmark = [
    pytest.mark.parametrize("scheme", SCHEMES),
    pytest.mark.parametrize("width", WIDTHS),
]


def assert_good(page, axe):
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def options(scheme, width):
    # axe-core writes styles of its own, which our policy forbids; the other tests keep it.
    return {"bypass_csp": True, "color_scheme": scheme, "viewport": {"width": width, "height": 844}}


def test_pages_of_a_stranger(window, axe, scheme, width):
    page = window(**options(scheme, width))
    for address in ("/login", "/password/reset"):
        page.goto(address)
        assert_good(page, axe)
    page.goto("/login")
    page.get_by_label("Email").fill("nobody@example.com")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert_good(page, axe)


def test_pages_of_the_list(at_desk, ada, order, nordsoft, axe, scheme, width):
    bring_in(order_document("A0000000002", status="not paid", paid_at=None))
    page = at_desk(ada, **options(scheme, width))
    assert_good(page, axe)
    page.get_by_text("Filters").click()
    assert_good(page, axe)
    for address in (
        "/orders?q=kim",
        "/orders?q=nobody&status=paid",
        "/orders?created_from=2026-02-02&created_to=2026-01-01",
        "/password",
        "/orders/A1",
    ):
        page.goto(address)
        assert_good(page, axe)


def test_the_page_of_an_order_with_every_state(at_desk, rob, acme, axe, scheme, width):
    codes = ("A" * 10_000, "one\n  two", "مفتاح", "🔑", "<b>&amp;")
    items = [item_document(codes=codes), item_document("2", codes=())]
    order = bring_in(order_document(items=items))
    for number, (status, failure, answer) in enumerate(
        [
            (DeliveryStatus.SENT, None, None),
            (DeliveryStatus.FAILED, Failure.ADDRESS_REFUSED, "550 5.1.1 No such user"),
            (DeliveryStatus.UNKNOWN, None, None),
        ]
    ):
        license = order.items[0].licenses[number]
        delivery = Delivery.of(order, [license], by=rob, token=f"token-{number}-{'x' * 20}")
        db.session.add(delivery)
        db.session.flush()
        delivery.finish(status, failure=failure, answer=answer)
    order.items[0].licenses[4].sealed = b"nothing that could be read"
    db.session.commit()
    page = at_desk(rob, **options(scheme, width))
    page.goto(ORDER)
    assert_good(page, axe)
    page.get_by_role("button", name="Resend").first.click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    assert_good(page, axe)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".outcome-sent")).to_be_visible()
    assert_good(page, axe)


@pytest.mark.parametrize("status", [OrderStatus.DELETED, OrderStatus.TERMINATED])
def test_the_page_of_an_order_that_cannot_be_sent(at_desk, rob, order, axe, scheme, width, status):
    order.status = status
    db.session.commit()
    page = at_desk(rob, **options(scheme, width))
    page.goto(ORDER)
    assert_good(page, axe)


@pytest.mark.parametrize("lack", ["delivery_forbidden", "no_email"])
def test_the_page_of_an_order_that_nothing_goes_to(
    at_desk, rob, order, acme, axe, scheme, width, lack
):
    if lack == "delivery_forbidden":
        acme.delivery_allowed = False
    else:
        order.email = None
    db.session.commit()
    assert order.items[0].licenses[0].resend_refusal().word == lack
    page = at_desk(rob, **options(scheme, width))
    page.goto(ORDER)
    assert_good(page, axe)


def test_the_page_where_a_password_is_chosen(window, rob, axe, scheme, width):
    link = f"/password/reset/{generate_reset_password_token(rob)}"
    db.session.commit()
    page = window(**options(scheme, width))
    page.goto(link)
    expect(page.get_by_role("button", name="Save the password")).to_be_visible()
    assert_good(page, axe)


def test_pages_of_pools(at_desk, ada, acme, mailbox, pool, axe, scheme, width):
    put_in(pool, "".join(f"A-{number}\n" for number in range(30)))
    pool.change(title=pool.title, threshold=50, warn_to="vendor@example.com", by=ada)
    jobs.fulfil(paid(pool).id)
    lines = ["NEW-1", "", "NEW-2", "NEW-1", "A-1", "A-0", "#NAME?", "Jan-04", "Z\u200b1"]
    upload = upload_of(pool, "\n".join(lines), "a-rather-long-name-of-a-file-of-licenses-2026.csv")
    page = at_desk(ada, **options(scheme, width))
    for address in (
        "/pools",
        "/pools/new",
        f"/pools/{pool.id}",
        f"/pools/{pool.id}/uploads/{upload.id}",
        f"/pools/{pool.id}/uploads/1",
    ):
        page.goto(address)
        assert_good(page, axe)
