"""What a tool is told about an item: the documented parameters, all of them strings."""

from portal.fulfilment.answer import LicenseRequest
from portal.models import Fulfilment


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
