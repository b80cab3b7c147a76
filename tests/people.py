"""People and the ordinary order, as fixtures.

Ada runs the portal, Rob answers the customers of Acme, Ida those of Nordsoft; Kim is the customer.
A test changes the one thing that it is about: `order.status = OrderStatus.DELETED`, or brings in a
document of its own: `bring_in(order_document(locale="de"))`.
"""

import json

import pytest
from flask_security import hash_password

from portal.extensions import db
from portal.intake.document import read_document
from portal.intake.upsert import upsert
from portal.models import CheckoutPage, Order, Role, Staff
from tests.support.portal import PASSWORD

NUMBER = "A0005555555"
KIM = "kim@example.com"
CODE = "AV7K2-9QXPL-44RTZ-0018M"


def order_document(number=NUMBER, *, codes=(CODE,), items=None, customer=None, **changes):
    """The ordinary order as an order document: paid, one item, one license for each of `codes`."""
    return {
        "number": number,
        "checkout_page": "acme",
        "status": "paid",
        "created_at": "2026-11-02T10:00:00+01:00",
        "paid_at": "2026-11-02T10:05:00+01:00",
        "currency": "EUR",
        "total": "29.95",
        "customer": {"email": KIM, "first_name": "Kim", "last_name": "Larsen"} | (customer or {}),
        "items": items if items is not None else [item_document(codes=codes)],
    } | changes


def item_document(ref="1", *, codes=(CODE,), product=None, **changes):
    """One item of an order document, with one license for each of `codes`."""
    received_at = "2026-11-02T10:06:00+01:00"
    return {
        "id": ref,
        "product": product or {"id": "1001", "name": "Sentinel Antivirus, 1 year"},
        "quantity": len(codes) or 1,
        "amount": "29.95",
        "licenses": [{"text": code, "received_at": received_at} for code in codes],
    } | changes


def bring_in(document):
    """Bring an order document in as an import does; the order."""
    (outcome,) = upsert([read_document(json.dumps(document))])
    if isinstance(outcome, Exception):
        raise outcome
    db.session.commit()
    return db.session.get(Order, Order.id_of(document["number"]))


def add_staff(email, role, *pages):
    """A person who can sign in with the password of the tests."""
    password = hash_password(PASSWORD)
    person = Staff(email=email, role=role, password=password, checkout_pages=list(pages))
    db.session.add(person)
    db.session.commit()
    return person


def add_page(code, title, **settings):
    """A checkout page."""
    page = CheckoutPage(code=code, title=title, **settings)
    db.session.add(page)
    db.session.commit()
    return page


@pytest.fixture
def acme(app):
    return add_page("acme", "Acme Store")


@pytest.fixture
def nordsoft(app):
    return add_page("nordsoft", "Nordsoft")


@pytest.fixture
def ada(app):
    """The operator, who sees all."""
    return add_staff("ada@example.com", Role.OPERATOR)


@pytest.fixture
def rob(acme):
    """An agent of the page that the ordinary order came from."""
    return add_staff("rob@example.com", Role.AGENT, acme)


@pytest.fixture
def ida(nordsoft):
    """An agent of another page."""
    return add_staff("ida@example.com", Role.AGENT, nordsoft)


@pytest.fixture
def order(acme):
    """The ordinary order: paid, one item, one license, for Kim."""
    return bring_in(order_document())


@pytest.fixture
def license(order):
    """The license of the ordinary order."""
    return order.items[0].licenses[0]
