"""The orders of which somebody waits for an item, in the order of the list of orders."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.database.types import BigId, UTCDateTime, words
from portal.extensions import Model
from portal.models.order_status import OrderStatus


class AwaitedOrder(Model):
    """An order with as many `items` for which `Item.is_awaited` holds, beside what orders are
    listed by.

    It is no more than an index, which leads to the few orders that are not delivered among the many
    that are: whether one is delivered is asked of its items. Triggers of the database keep it
    (migration 0011), nobody else writes to it, and only portal/search/walks.py reads it.
    """

    __tablename__ = "awaited_orders"
    __table_args__ = (
        # As those of orders.
        Index(None, "created_at", "order_id"),
        Index(None, "status", "created_at", "order_id"),
        Index(None, "checkout_page_id", "status", "created_at", "order_id"),
    )

    order_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    checkout_page_id: Mapped[int]
    status: Mapped[OrderStatus] = mapped_column(words(OrderStatus))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    items: Mapped[int]
