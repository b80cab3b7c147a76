"""All that the page of an order shows, in one statement: a database takes longer to wake up than to
answer. What is under way is asked for only where there is any, and an agent's checkout pages have
come with the agent.
"""

from functools import cache

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import contains_eager, defer, lazyload, load_only, with_expression

from portal.database.postgresql import planned_once
from portal.models.delivery import Delivery
from portal.models.fulfilment import Fulfilment
from portal.models.history import HistoryEntry
from portal.models.item import Item
from portal.models.license import License
from portal.models.order import Order
from portal.models.product import Product
from portal.models.staff import Staff

ITEMS: ColumnElement[int] = literal_column("1")
HISTORY: ColumnElement[int] = literal_column("2")

WITH_ALL = (
    with_expression(Order.has_unsettled, Delivery.any_unsettled()),
    contains_eager(Order.items).options(
        contains_eager(Item.licenses),
        contains_eager(Item.fulfilment)
        .contains_eager(Fulfilment.product)
        .options(defer(Product.sealed), lazyload(Product.checkout_page)),
    ),
    # The people in it, whatever they may see themselves.
    contains_eager(Order.history)
    .contains_eager(HistoryEntry.by)
    .options(load_only(Staff.email), lazyload(Staff.checkout_pages)),
)


@cache
def order_with_all() -> Select[Order]:
    """The order with the id `order_id`, its items and its history, with all that belongs to these.
    Made once, because every page of an order asks it.

    To join two lists has a row for each pair of them. So there are two parts of rows: some have the
    items, and the others the history, which the first ask for with a key that no entry has.
    """
    part = union_all(select(ITEMS.label("part")), select(HISTORY)).subquery().c.part
    return planned_once(
        select(Order)
        .join(part.table, true())
        .outerjoin(Item, (Item.order_id == Order.id) & (part == ITEMS))
        .outerjoin(Item.licenses)
        .outerjoin(Item.fulfilment)
        .outerjoin(Fulfilment.product)
        .outerjoin(HistoryEntry, HistoryEntry.order_id == case((part == HISTORY, Order.id)))
        .outerjoin(HistoryEntry.by)
        .where(Order.id == bindparam("order_id"))
        .order_by(part, Item.position, License.position)
        .order_by(HistoryEntry.at.desc(), HistoryEntry.id.desc())
        .options(*WITH_ALL)
    )
