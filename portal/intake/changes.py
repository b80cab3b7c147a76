"""How a change of an order is made, and what its history says of it."""

from portal import clock
from portal.database.tables import Row
from portal.models import HistoryEntry, Item, Order, What


def set_columns(thing: Order | Item, columns: Row) -> bool:
    """Set the columns that differ; whether one did."""
    changed = {name: value for name, value in columns.items() if getattr(thing, name) != value}
    for name, value in changed.items():
        setattr(thing, name, value)
    return bool(changed)


def note(order: Order, what: What, *, text: str | None = None) -> None:
    """Add an entry to the history of `order`: it happened now."""
    order.history.append(HistoryEntry(what=what, at=clock.now(), text=text))
