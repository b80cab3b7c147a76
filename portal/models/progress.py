"""What is under way for an order, and when it is worth looking at it again.

A page that shows something under way asks again by itself. It says what it has `seen`, and only
what has changed since is drawn anew.
"""

from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from math import ceil

from portal import clock
from portal.models import standing
from portal.models.delivery import Delivery, DeliveryStatus
from portal.models.fulfilment import NOBODY_COMES, FulfilmentState
from portal.models.item import Item
from portal.models.license import License
from portal.models.order import Order
from portal.models.standing import Standing

# Seconds between two looks: at what is in somebody's hands, and at what nobody seems to take up.
QUICK, SLOW = 2, 60
LONGEST = 3600
SOON = timedelta(seconds=5)

# Letters of a mark. That two states of an item have the same one happens once in 16 million.
MARK = 4


class Progress:
    """The `deliveries` of an order that have no outcome yet, newest first, and where its items
    stand."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._unsettled = Delivery.unsettled(order)
        self.deliveries = [delivery for delivery in self._unsettled if delivery.is_underway]

    @cached_property
    def _by_license(self) -> dict[int, list[Delivery]]:
        return _grouped((d.licenses[0].id, d) for d in self.deliveries if _is_of_one_license(d))

    @cached_property
    def _by_item(self) -> dict[int, list[Delivery]]:
        return _grouped(
            (d.item_id, d) for d in self._unsettled if d.item_id and not _is_of_one_license(d)
        )

    def of_license(self, license: License) -> list[Delivery]:
        """What is under way of this license alone: its resends."""
        return self._by_license.get(license.id, [])

    def of_item(self, item: Item) -> list[Delivery]:
        """What is under way of this item as a whole, or did not arrive: the mail that the portal
        sends by itself."""
        return self._by_item.get(item.id, [])

    def standing(self, item: Item) -> Standing | None:
        """Where the item stands, if that needs to be said: a mail that did not arrive says more."""
        undelivered = any(delivery.is_undelivered for delivery in self.of_item(item))
        return None if undelivered else standing.of(item)

    @cached_property
    def pace(self) -> int | None:
        """In how many seconds it is worth looking again, or None when nothing is under way."""
        due = min(filter(None, map(_item_due, self.order.items)), default=None)
        due = min(filter(None, [due, *map(_delivery_due, self.deliveries)]), default=None)
        if due is None:
            return None
        now = clock.now()
        if due > now + SOON:
            return min(ceil((due - now).total_seconds()), LONGEST)
        return QUICK if now < due + NOBODY_COMES else SLOW

    @cached_property
    def seen(self) -> str:
        """A few letters for all that a page shows of the order and that may change by itself."""
        state = _mark(self.order.status, self.pace == QUICK)
        return self._history_mark + state + "".join(map(self._mark_of, self.order.items))

    @cached_property
    def _history_mark(self) -> str:
        return _mark(*(entry.id for entry in self.order.history))

    def news_since(self, seen: str) -> str | None:
        """The newest sentence of the history, where that has grown for who has `seen` that."""
        is_new = self.order.history and not seen.startswith(self._history_mark)
        return self.order.history[0].sentence if is_new else None

    def changed_since(self, seen: str) -> list[Item]:
        """The items that look different to who has `seen` that."""
        marks = [seen[at : at + MARK] for at in range(2 * MARK, len(seen), MARK)]
        items = self.order.items
        if len(marks) != len(items):
            return items
        pairs = zip(items, marks, strict=True)
        return [item for item, mark in pairs if self._mark_of(item) != mark]

    def _mark_of(self, item: Item) -> str:
        found = item.fulfilment
        licenses = [bool(license.revoked_at) for license in item.licenses]
        mails = [*self.of_item(item), *(d for one in item.licenses for d in self.of_license(one))]
        stands = self.standing(item)
        return _mark(
            item.order.status,
            item.refunded_at,
            licenses,
            stands,
            (found.state, found.attempts, found.due_at) if found else None,
            [(d.id, d.known_status, d.attempts, d.due_at) for d in mails],
        )


def _is_of_one_license(delivery: Delivery) -> bool:
    return not delivery.is_automatic and len(delivery.licenses) == 1


def _grouped(pairs: Iterable[tuple[int, Delivery]]) -> dict[int, list[Delivery]]:
    groups: dict[int, list[Delivery]] = defaultdict(list)
    for key, delivery in pairs:
        groups[key].append(delivery)
    return groups


def _mark(*facts: object) -> str:
    digest = blake2b(repr(facts).encode(), digest_size=MARK * 6 // 8).digest()
    return urlsafe_b64encode(digest).decode()


def _item_due(item: Item) -> datetime | None:
    found = item.fulfilment
    if found is None or not item.order.status.is_paid or item.refunded_at:
        return None
    return clock.now() if found.state is FulfilmentState.WORKING else found.due_at


def _delivery_due(delivery: Delivery) -> datetime | None:
    is_being_sent = delivery.known_status is DeliveryStatus.SENDING
    return clock.now() if is_being_sent else delivery.due_at
