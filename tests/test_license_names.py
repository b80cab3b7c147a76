"""Which license an entry of the history is about, where an order has several."""

import pytest

from portal.extensions import db
from portal.models import Delivery, DeliveryStatus
from portal.models.license_names import names_of
from tests.people import bring_in, item_document, order_document

ADDRESS = "/orders/A0005555555"
PAPER = {"id": "1003", "name": "PaperMill PDF Pro"}


@pytest.fixture
def order(acme):
    """An order of five licenses for one product and one for another."""
    codes = [f"AV7K2-{number}QXPL" for number in range(5)]
    return bring_in(
        order_document(
            items=[item_document(codes=codes), item_document("2", codes=["P-1"], product=PAPER)]
        )
    )


def licenses(order):
    return [license for item in order.items for license in item.licenses]


@pytest.mark.parametrize(
    ("positions", "names"),
    [
        ([1], "license 2 of 5 for Sentinel Antivirus, 1 year"),
        ([2, 1, 0, 4], "licenses 1–3, 5 of 5 for Sentinel Antivirus, 1 year"),
        ([0, 1, 2, 3, 4], "all 5 licenses for Sentinel Antivirus, 1 year"),
        (
            [5, 0],
            "license 1 of 5 for Sentinel Antivirus, 1 year, license for PaperMill PDF Pro",
        ),
        ([], ""),
    ],
)
def test_several_licenses_have_a_name_together(order, positions, names):
    assert names_of([licenses(order)[position] for position in positions]) == names


def test_an_entry_names_the_license_that_went(signed_in, rob, order):
    page = signed_in(rob).open(ADDRESS)
    question = page.press("Resend license 2 of 5 for Sentinel Antivirus, 1 year")
    newest = question.press("Send").part("order-history").parts("li")[0]
    assert newest.text.endswith("license 2 of 5 for Sentinel Antivirus, 1 year")
    assert signed_in(rob).open(ADDRESS).part("order-history").parts("li")[0].text == newest.text


def test_an_entry_names_all_that_went_at_once(signed_in, rob, order):
    delivery = Delivery.automatic(order.items[0], order.items[0].licenses, token="t" * 24)
    db.session.commit()
    history = signed_in(rob).open(ADDRESS).part("order-history")
    assert "all 5 licenses" in history.parts("li")[0].text
    delivery.finish(DeliveryStatus.SENT)
    db.session.commit()
    history = signed_in(rob).open(ADDRESS).part("order-history")
    assert "all 5 licenses" in history.parts("li")[0].text


def test_an_entry_of_an_order_with_one_license_has_nothing_to_tell_apart(signed_in, rob, acme):
    bring_in(order_document())
    answer = signed_in(rob).open(ADDRESS).press("Resend").press("Send")
    assert "license for" not in answer.part("order-history").text


def test_the_entry_of_a_replacement_names_the_former_license(signed_in, rob, order):
    page = signed_in(rob).open(ADDRESS)
    question = page.press("Replace license 2 of 5 for Sentinel Antivirus, 1 year")
    question.fill("New license", "NEW").fill("What is wrong with the former one", "Used")
    history = question.press("Replace and send").part("order-history").text
    assert "Used (license 2 of 6 for Sentinel Antivirus, 1 year)" in history
