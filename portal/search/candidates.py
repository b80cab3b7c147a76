"""Orders that are found by something else than their place in the list.

The newest of them are found first, at most CAP + 1, and sorted into the order of the list
afterwards: to sort all that a common word finds takes too long.
"""

from typing import Any

from sqlalchemy import Select, column, exists, func, literal_column, or_, select, union
from sqlalchemy import table as bare_table

from portal.extensions import db
from portal.models import Item, License, Order
from portal.search import Search
from portal.search.filters import Conditions, Scope, created_in, has_status, is_delivered, paid_in
from portal.search.walks import MOST_WALKS, merged

CAP = 10_000

# As many days of orders are walked sooner than all that wait for something are.
FEW_DAYS = 31

Ids = Select[*tuple[Any, ...]]


def candidates(search: Search, scope: Scope) -> list[Any] | None:
    """The ways to find orders (ids and times of creation); None where the list is walked."""
    filters = [*scope.conditions, *has_status(search), *created_in(search.created, None)]
    days = search.created.count
    if search.q or search.license:
        filters += [*paid_in(search.paid), *is_delivered(search)]
        return _asked_for(search, filters)
    if search.paid:
        if days is not None and days <= (search.paid.count or days):
            return None
        return [_paid(search, scope, [*filters, *is_delivered(search)])]
    if search.delivered is False and (days is None or days > FEW_DAYS):
        return [_awaited(filters)]
    return None


def owns_license(search: Search) -> Any:
    """Whether an order has the license asked for, as a condition."""
    return exists().where(
        Item.order_id == Order.id, License.item_id == Item.id, _is_license(search)
    )


def licensed(search: Search) -> Ids:
    """The orders that have the license asked for."""
    return select(Order.id).join(Item).join(License).where(_is_license(search))


def _asked_for(search: Search, filters: Conditions) -> list[Any]:
    """For each thing that the box may mean, the orders that it finds."""
    ways = [_newest(filters).where(Order.id.in_(_license_orders(search)))]
    if search.numbers:
        ways.append(_newest(filters).where(Order.id.in_(search.numbers)))
    ways = [way.order_by(Order.id.desc()).limit(CAP + 1) for way in ways]
    if search.words and len(search.numbers) < 2:
        ways.append(_with_words(search.words, filters))
    return ways


def _newest(filters: Conditions) -> Ids:
    return select(Order.id, Order.created_at).where(*filters)


def _with_words(words: list[str], filters: Conditions) -> Ids:
    """The orders whose search text has every one of `words`."""
    found = _newest(filters)
    if db.engine.dialect.name != "sqlite":
        has = [Order.search_text.contains(word, autoescape=True) for word in words]
        return found.where(*has).order_by(Order.id.desc()).limit(CAP + 1)
    index = bare_table("order_search", column("rowid"), column("order_search"))
    phrases = " AND ".join('"' + word.replace('"', '""') + '"' for word in words)
    matches = index.c.order_search.op("MATCH")(phrases)
    text = select(literal_column("rowid").label("id")).select_from(index).where(matches).subquery()
    return found.join(text, text.c.id == Order.id).order_by(text.c.id.desc()).limit(CAP + 1)


def _license_orders(search: Search) -> Ids:
    """The ids of the orders, by one index for the whole text and by another for its end."""
    owner = select(Item.order_id.label("id")).join(License)
    by_text = owner.where(License.digest.in_(search.digests))
    if not search.tail_digests:
        return by_text
    by_end = owner.where(License.tail_digest.in_(search.tail_digests))
    return select(union(by_text, by_end).subquery().c.id)


def _is_license(search: Search) -> Any:
    return or_(License.digest.in_(search.digests), License.tail_digest.in_(search.tail_digests))


def _paid(search: Search, scope: Scope, filters: Conditions) -> Ids:
    """The orders that were paid last within the range, by one index walk for each page."""
    found = select(Order.id, Order.created_at, Order.paid_at).where(*paid_in(search.paid), *filters)
    ids = scope.page_ids
    if len(ids) == 1 or len(ids) > MOST_WALKS:
        walk = found.where(Order.checkout_page_id.in_(ids))
        return walk.order_by(Order.paid_at.desc()).limit(CAP + 1)
    walks = [found.where(Order.checkout_page_id == page_id) for page_id in ids]
    every = merged(walks, [Order.paid_at.desc()], CAP + 1)
    paid_last = select(every.c.id, every.c.created_at, every.c.paid_at)
    return paid_last.order_by(every.c.paid_at.desc()).limit(CAP + 1)


def _awaited(filters: Conditions) -> Ids:
    """The orders that wait for something, which are in an index of their own: it is walked from the
    newest on, and no further than to the cap."""
    return (
        select(Item.order_id.label("id"), func.max(Order.created_at).label("created_at"))
        .join(Order, Order.id == Item.order_id)
        .where(Item.is_awaited, *filters)
        .group_by(Item.order_id)
        .order_by(Item.order_id.desc())
        .limit(CAP + 1)
    )
