"""The items that wait for the vendor's staff to enter a license, those that wait longest first."""

from collections.abc import Sequence

from sqlalchemy.orm import contains_eager

from portal.extensions import db
from portal.models.checkout_page import CheckoutPage
from portal.models.fulfilment import AWAITED, Fulfilment
from portal.models.item import Item
from portal.models.order import Order
from portal.models.order_status import OrderStatus

PAGE = 50


def find(pages: Sequence[CheckoutPage], *, after: int = 0, limit: int = PAGE) -> list[Fulfilment]:
    """Those of `pages` that come after the fulfilment `after`, with their items and orders. What is
    not paid any more, was refunded or is fulfilled needs nothing."""
    query = (
        db.select(Fulfilment)
        .join(Fulfilment.item)
        .join(Item.order)
        .where(
            db.text(AWAITED),
            Fulfilment.id > after,
            Order.checkout_page_id.in_([page.id for page in pages]),
            Order.status == OrderStatus.PAID,
            Item.is_awaited,
        )
        .order_by(Fulfilment.id)
        .limit(limit)
        .options(contains_eager(Fulfilment.item).contains_eager(Item.order))
    )
    return list(db.session.scalars(query))
