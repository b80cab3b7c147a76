"""The demo's orders, and what they are put into."""

import json

import pytest

from portal.demo import portal as demo_portal
from portal.demo.orders import UNUSUAL, demo_orders
from portal.extensions import db
from portal.models import Delivery, License, Order, Product, Staff, Tool
from portal.shared_secret import new_secret


def test_an_accented_name_keeps_its_letters_in_the_address():
    customers = [json.loads(line)["customer"] for line in demo_orders()]
    addresses = {
        (customer["first_name"], customer["last_name"]): customer["email"].split("@")[0]
        for customer in customers
        if customer["email"]
    }
    accented = {address for names, address in addresses.items() if {"João", "Çelik"} & set(names)}
    assert accented
    assert all("joao" in address or "celik" in address for address in accented)
    assert all(address.count(".") == 1 and address.isascii() for address in addresses.values())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_empty_portal_is_filled_once(app):
    for _start in range(2):
        demo_portal.fill()
    counts = [
        db.session.scalar(db.select(db.func.count()).select_from(model)) for model in (Staff, Order)
    ]
    assert counts == [2, 200]
    agent = db.session.scalars(db.select(Staff).filter_by(email=demo_portal.AGENT)).unique().one()
    assert [page.code for page in agent.checkout_pages] == ["acme-store"]
    assert db.session.scalars(db.select(Product.id).where(Product.tool.is_not(None))).all()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_demo_shows_every_refusal_and_what_may_become_of_an_email(app):
    demo_portal.fill()
    licenses = db.session.scalars(db.select(License)).all()
    refusals = {refusal.word for license in licenses if (refusal := license.resend_refusal())}
    assert refusals == {
        "order_not_paid", "license_revoked", "delivery_forbidden", "no_email", "license_unreadable",
    }  # fmt: skip
    statuses = set(db.session.scalars(db.select(Delivery.status)))
    assert statuses == {"sent", "failed", "unknown", "bounced", "queued"}
    texts = {license.text for license in licenses}
    assert texts.issuperset(UNUSUAL)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_start_moves_the_products_of_the_demo_and_no_others(app):
    demo_portal.fill()
    own, other = Product.of(1, "1001"), Product.of(1, "1005")
    settings = {"url": "https://vendor.example/licenses"}
    other.set_up(by=None, tool=Tool.WEB_SERVICE, settings=settings)
    db.session.commit()
    demo_portal.point_to_vendor("http://127.0.0.1:9999/licenses", new_secret())
    assert own.settings["url"] == "http://127.0.0.1:9999/licenses"
    assert other.settings["url"] == settings["url"]
