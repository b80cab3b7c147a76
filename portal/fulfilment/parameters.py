"""What a tool is told about an item: the documented parameters, all of them strings."""

from uuid import uuid4

from portal.fulfilment.answer import LicenseRequest
from portal.models import Fulfilment, Product


def license_request_of(fulfilment: Fulfilment) -> LicenseRequest:
    """The request for what `fulfilment` wants, as plain data that needs no database."""
    item = fulfilment.item
    order = item.order
    return LicenseRequest(
        id=fulfilment.request_id,
        item_id=item.id,
        product_id=fulfilment.product_id,
        quantity=fulfilment.missing,
        parameters={
            "Order": order.number,
            "Item": item.ref,
            "ID": item.product_code,
            "Quantity": str(item.quantity),
            "Order_sum": f"{order.total:.2f}",
            "Currency": order.currency,
            "Zone": order.country or "",
        },
    )


def sample_request(product: Product) -> LicenseRequest:
    """A request for one license of `product`, of an order that does not exist."""
    return LicenseRequest(
        id=f"req_{uuid4().hex}",
        item_id=0,
        product_id=product.id,
        quantity=1,
        parameters={
            "Order": "TST000000000",
            "Item": "1",
            "ID": product.code,
            "Quantity": "1",
            "Order_sum": "29.95",
            "Currency": "EUR",
            "Zone": "DE",
        },
    )
