"""A quick look at orders as they are saved.

Most orders of a file that was imported before have not changed. To see that, plain rows will do;
models take five times as long.
"""

import logging
from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import RowMapping, Select, select

from portal.extensions import db
from portal.models import HistoryEntry, Item, License, Order
from portal.vault import Unreadable, vault

log = logging.getLogger(__name__)


def saved_orders(ids: Collection[int]) -> dict[int, Order]:
    """Those of the orders with these ids that are there, by id; nobody is kept from them.

    Their columns, items, licenses and history are those of an Order, but nothing that is changed
    in them is saved.
    """
    db.session.flush()
    orders = {row["id"]: _SavedOrder(row) for row in _rows(_all(Order).where(Order.id.in_(ids)))}
    if not orders:
        return {}
    theirs = Item.order_id.in_(orders)
    in_place = _all(Item).where(theirs).order_by(Item.position)
    items = {row["id"]: _SavedItem(row) for row in _rows(in_place)}
    for item in items.values():
        orders[item.order_id].items.append(item)
    for row in _rows(_all(License).join(Item).where(theirs)):
        if place := items.get(row["item_id"]):  # others go on adding items meanwhile
            place.licenses.append(_SavedLicense(row, place))
    history = select(HistoryEntry.order_id, HistoryEntry.at, HistoryEntry.text)
    for row in _rows(history.where(HistoryEntry.order_id.in_(orders))):
        orders[row["order_id"]].history.append(_Saved(row))
    return cast("dict[int, Order]", orders)


class _Saved:
    """A row, whose columns are attributes."""

    def __init__(self, row: RowMapping) -> None:
        vars(self).update(row)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class _SavedOrder(_Saved):
    def __init__(self, row: RowMapping) -> None:
        super().__init__(row)
        self.items: list[_SavedItem] = []
        self.history: list[_Saved] = []


class _SavedItem(_Saved):
    def __init__(self, row: RowMapping) -> None:
        super().__init__(row)
        self.licenses: list[_SavedLicense] = []


class _SavedLicense(_Saved):
    def __init__(self, row: RowMapping, item: _SavedItem) -> None:
        super().__init__(row)
        self.item = item

    @cached_property
    def text(self) -> str | None:
        """The license itself, or None when it cannot be read with the keys at hand."""
        order_id, ref = self.item.order_id, self.item.ref
        try:
            return vault().open(self.sealed, License.place(order_id, ref, self.position))
        except Unreadable as error:
            log.error("License %s of order %s is unreadable: %s", self.id, order_id, error)
            return None


def _all(model: type[Order | Item | License]) -> Select[Any]:
    return select(*model.metadata.tables[model.__tablename__].columns)


def _rows(query: Select[*tuple[Any, ...]]) -> list[RowMapping]:
    return list(db.session.connection().execute(query).mappings())
