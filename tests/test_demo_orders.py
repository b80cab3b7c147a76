"""The demo's orders, before they are imported."""

import json

from portal.demo.orders import demo_orders


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
