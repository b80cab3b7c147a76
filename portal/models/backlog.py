"""The backlog of a product: its items that are not done, counted, woken and started all at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Integer, exists, func, insert, literal, update

from portal import clock
from portal.database.types import UTCDateTime
from portal.extensions import db
from portal.models.claim import PATIENCE_ANEW
from portal.models.demand import Demand
from portal.models.fulfilment_state import FulfilmentState
from portal.models.history import HistoryEntry, What
from portal.models.item import Item
from portal.models.order import Order
from portal.models.order_status import OrderStatus
from portal.models.product import Product
from portal.models.refusal import Refused

if TYPE_CHECKING:
    from portal.models.staff import Staff

# More are left to the sweep, so that nobody waits for them to be queued.
QUEUED_AT_ONCE = 100


class Backlog(Demand):
    """What Fulfilment answers for many items in one statement, however many there are."""

    @classmethod
    def awaiting(cls, products: Sequence[Product]) -> dict[int, dict[str, int]]:
        """How many items of `products` are not done, by product id and state."""
        query = (
            db.select(cls.product_id, cls.state, func.count())
            .where(
                cls.product_id.in_([product.id for product in products]),
                cls.state.in_(set(FulfilmentState) - {FulfilmentState.DONE}),
                cls._is_wanted(),
            )
            .group_by(cls.product_id, cls.state)
        )
        counts: dict[int, dict[str, int]] = {}
        for product_id, state, count in db.session.execute(query):
            counts.setdefault(product_id, {})[state.value] = count
        return counts

    @classmethod
    def wake(cls, product: Product) -> list[int]:
        """Make due what waits for `product` to be set up or refilled, and what is to be tried again
        later: ids, oldest order first, as many as are worth being queued at once."""
        states = (FulfilmentState.WAITING, FulfilmentState.RETRYING)
        cls._make_all_due(product, cls.state.in_(states))
        woken = (
            db.select(cls.id)
            .join(cls.item)
            .join(Item.order)
            .where(cls.product_id == product.id, cls.state.in_(states), cls.due_at <= clock.now())
            .order_by(Order.created_at, Order.id, Item.position)
            .limit(QUEUED_AT_ONCE)
        )
        return list(db.session.scalars(woken))

    @classmethod
    def start_failed(cls, product: Product, *, by: "Staff | None") -> int:
        """Start what has failed of `product` again, and note in each order who asked; how many.
        Raises Refused."""
        if refusal := product.tool_refusal():
            raise Refused(refusal)
        now = clock.now()
        anew = {"state": FulfilmentState.WAITING, "due_at": now}
        count = cls._make_all_due(product, cls.state == FulfilmentState.FAILED, **anew)
        started = (
            db.select(
                Item.order_id,
                literal(What.FULFILMENT_STARTED, HistoryEntry.what.type),
                literal(now, UTCDateTime),
                literal(by.id if by else None, Integer),
                Item.product_name,
            )
            .join(cls, cls.item_id == Item.id)
            .where(cls.product_id == product.id, cls.due_at == now)
            .where(cls.state == FulfilmentState.WAITING)
        )
        columns = ["order_id", "what", "at", "by_id", "text"]
        db.session.execute(insert(HistoryEntry).from_select(columns, started))
        return count

    @classmethod
    def _make_all_due(cls, product: Product, those: ColumnElement[bool], **values: object) -> int:
        """In one statement, which sees what whoever is at work has written by then; how many."""
        found = db.session.execute(
            update(cls)
            .where(cls.product_id == product.id, those, cls._is_wanted())
            .values(PATIENCE_ANEW | {"due_at": clock.now()} | values),
            execution_options={"synchronize_session": False},
        )
        return int(getattr(found, "rowcount", 0))

    @classmethod
    def _is_wanted(cls) -> ColumnElement[bool]:
        """Whether the order still allows it."""
        return exists().where(
            Item.id == cls.item_id,
            Item.is_awaited,
            Order.id == Item.order_id,
            Order.status == OrderStatus.PAID,
        )
