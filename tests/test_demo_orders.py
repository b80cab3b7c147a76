"""The demo's orders, and what they are put into."""

import json

import pytest

from portal.demo import portal as demo_portal
from portal.demo.orders import demo_orders
from portal.extensions import db
from portal.fulfilment import web_service
from portal.models import Order, Product, Staff, Tool


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


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_start_moves_the_products_of_the_demo_and_no_others(app):
    demo_portal.fill()
    own, other = Product.of(1, "1001"), Product.of(1, "1005")
    settings = {"url": "https://vendor.example/licenses"}
    other.set_up(by=None, tool=Tool.WEB_SERVICE, settings=settings)
    db.session.commit()
    demo_portal.point_to_vendor("http://127.0.0.1:9999/licenses", web_service.new_secret())
    assert own.settings["url"] == "http://127.0.0.1:9999/licenses"
    assert other.settings["url"] == settings["url"]
