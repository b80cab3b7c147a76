"""The demo's orders, and what they are put into."""

import json

import pytest

from portal.demo import portal as demo_portal
from portal.demo.orders import demo_orders
from portal.extensions import db
from portal.models import Order, Product, Staff


def test_an_accented_name_keeps_its_letters_in_the_address():
    customers = [json.loads(line)["customer"] for line in demo_orders()]
    addresses = {
        (customer["first_name"], customer["last_name"]): customer["email"].split("@")[0]
        for customer in customers
        if customer["email"]
    }
    assert addresses["João", "Bauer"] == "joao.bauer"
    assert addresses["Dmitri", "Çelik"] == "dmitri.celik"
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
