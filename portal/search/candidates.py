"""Orders that are found by something else than their place in the list.

The newest of them are found first, at most CAP + 1, and sorted into the order of the list
afterwards: to sort all that a common word finds takes too long.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, column, func, literal_column, select, true, union_all
from sqlalchemy import table as bare_table

from portal.database.postgresql import unseen
from portal.models import Item, License, Order
from portal.search.filters import (
    Conditions,
    created_in,
    has_status,
    is_delivered,
    of_pages,
    only_checked,
    paid_in,
)
from portal.search.scope import Scope
from portal.search.shape import Shape, Way, among, exactly, given, one_given
from portal.search.walks import MOST_WALKS, merged

CAP = 10_000

# What a rare word finds at most: on PostgreSQL, what is found with one plan for all words in less
# time than it takes to plan for one.
FEW = 100
FEW_AT_ONCE = 1_000
# What is in no text: SQLite looks for this in no time.
NOTHING: Any = literal_column("'\"\"'")

Ids = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Candidates:
    """The orders that are `found`, each once: their ids, times of creation and, as `by_license`,
    whether (1) by the license asked for or not (0); and whether that `are_all`, which is not so
    where a question for a few finds that there are more."""

    found: Any
    are_all: Any


def candidates(shape: Shape) -> Candidates:
    """The orders that answer a search of `shape`."""
    filters = [*has_status(shape), *created_in(shape)]
    licensed_ones: list[Any] = []
    few = _few_with_words(shape) if shape.if_few else None
    if shape.way is Way.PAID:
        others = [_paid(shape, [*only_checked(filters), *is_delivered(shape)])]
    else:
        filters = only_checked([*of_pages(shape.scope), *filters, *paid_in(shape)])
        every = select(Order.id, Order.created_at).where(*filters, *is_delivered(shape))
        licensed_ones, others = _by_license(shape, every), _by_number_or_text(shape, every, few)
    ways = [
        *(_marked(way, by_license=1) for way in licensed_ones),
        *(_marked(way, by_license=0) for way in others),
    ]
    once = ways[0] if len(ways) == 1 else _each_once(ways)
    are_all = true() if few is None else _are_few(few, FEW_AT_ONCE)
    return Candidates(once.cte(), are_all)


def _each_once(ways: list[Ids]) -> Ids:
    found = union_all(*ways).subquery()
    once = select(found.c.id, found.c.created_at, func.max(found.c.by_license).label("by_license"))
    return once.group_by(found.c.id, found.c.created_at)


def _marked(way: Ids, *, by_license: int) -> Ids:
    part = way.subquery()
    return select(part.c.id, part.c.created_at, exactly(by_license).label("by_license"))


def licensed(scope: Scope, count: int, *, but_numbers: bool) -> Ids:
    """Those of `count` digests that are given which a license of an order of `scope` has; none
    where a number that is given is another order's that is in it."""
    pages = only_checked(of_pages(scope))
    orders = select(License.digest).join(License.item).join(Item.order).where(*pages)
    if but_numbers:
        numbered = select(Order.id).where(one_given(Order.id, "numbers"), *pages).correlate(None)
        orders = orders.where(~numbered.exists())
    # One of each: a link for all who bought may be the license of half of the orders.
    each = [
        orders.where(License.digest == given(f"digest_{number}")).limit(exactly(1)).subquery()
        for number in range(count)
    ]
    return select(union_all(*map(select, each)).subquery())


def _by_license(shape: Shape, every: Ids) -> list[Any]:
    """Those of `every` that have the license asked for, whole or its end."""
    digests = [License.digest, License.tail_digest]
    given_ones = [digest for digest in digests if f"{digest.key}s" in shape.filled]
    return [_newest(every.where(Order.id.in_(_orders_with(digest)))) for digest in given_ones]


def _by_number_or_text(shape: Shape, every: Ids, few: Any) -> list[Any]:
    """Those of `every` that the numbers and the words in the box find."""
    numbered = "numbers" in shape.filled
    ways = [_newest(every.where(one_given(Order.id, "numbers")))] if numbered else []
    if "phrases" in shape.filled:
        ways += _by_phrases(shape, every)
    elif few is not None:
        ways.append(every.join(few, few.c.id == Order.id).where(*_has_whole(shape)))
    elif "word_0" in shape.filled:
        ways.append(_newest(every.where(*_has_words(shape))))
    return ways


def _newest(found: Ids) -> Ids:
    return found.order_by(Order.id.desc()).limit(exactly(CAP + 1))


def _has_words(shape: Shape) -> Conditions:
    return [Order.search_text.like(given(name)) for name in _named(shape, "word")]


def _few_with_words(shape: Shape) -> Any:
    """The orders with the words, or with the ending of one that is rare by itself, where there are
    FEW_AT_ONCE of them or less, and one more where not.

    They are taken from all that PostgreSQL's index finds: told of the limit, it would expect to
    meet so many soon, and look at each order.
    """
    names = ["ending"] if "ending" in shape.filled else _named(shape, "word")
    has = [Order.search_text.like(unseen(given(name))) for name in names]
    matching = select(Order.id).where(*has).cte().prefix_with("MATERIALIZED")
    return select(matching.c.id).limit(exactly(FEW_AT_ONCE + 1)).cte()


def _by_phrases(shape: Shape, every: Ids) -> list[Any]:
    """Those of `every` that SQLite's index of the search text finds: the few that there are of a
    rare word, or the newest. The newest first takes it three times as long."""
    few = (_few_by_ending(shape) if "ending" in shape.filled else _few(given("phrases"))).cte()
    are_few = _are_few(few)
    many = _in_index(case((are_few, NOTHING), else_=given("phrases"))).subquery()
    newest = every.join(many, many.c.id == Order.id).order_by(many.c.id.desc())
    few_ones = every.join(few, few.c.id == Order.id).where(are_few)
    return [few_ones, newest.limit(exactly(CAP + 1))]


def _few_by_ending(shape: Shape) -> Any:
    """The same as _few, for words of which one has an ending that is rare by itself, as codes have
    that begin alike: the index reads all that begin so before it sees how they end."""
    endings = _few(given("ending")).cte()
    are_few = _are_few(endings)
    by_ending = select(Order.id).join(endings, endings.c.id == Order.id)
    by_ending = by_ending.where(are_few, *_has_whole(shape))
    others = _few(case((are_few, NOTHING), else_=given("phrases"))).subquery()
    return union_all(by_ending, select(others.c.id))


def _has_whole(shape: Shape) -> Conditions:
    """That an order has each of the words, seen in its text rather than in the index."""
    find = func.instr if shape.dialect == "sqlite" else func.strpos
    return [find(Order.search_text, given(name)) > 0 for name in _named(shape, "whole")]


def _named(shape: Shape, beginning: str) -> list[str]:
    return [name for name in shape.filled if name.startswith(beginning)]


def _few(phrases: Any) -> Ids:
    """The orders with `phrases` where there are FEW of them or less, and one more where not."""
    return _in_index(phrases).limit(exactly(FEW + 1))


def _are_few(found: Any, most: int = FEW) -> Any:
    return select(func.count()).select_from(found).scalar_subquery() <= exactly(most)


def _in_index(phrases: Any) -> Ids:
    index = bare_table("order_search", column("rowid"), column("order_search"))
    matches = index.c.order_search.op("MATCH")(phrases)
    return select(literal_column("rowid").label("id")).select_from(index).where(matches)


def _orders_with(digest: Any) -> Ids:
    """The ids of the orders with a license whose `digest`, of one kind or the other, is given."""
    return select(Item.order_id).join(License).where(one_given(digest, f"{digest.key}s"))


def _paid(shape: Shape, filters: Conditions) -> Ids:
    """The orders that were paid last within the range, by one index walk for each page."""
    found = select(Order.id, Order.created_at, Order.paid_at).where(*paid_in(shape), *filters)
    ids = shape.scope.page_ids
    if len(ids) == 1 or len(ids) > MOST_WALKS:
        walk = found.where(among(Order.checkout_page_id, ids))
        return walk.order_by(Order.paid_at.desc()).limit(exactly(CAP + 1))
    walks = [found.where(Order.checkout_page_id == exactly(page_id)) for page_id in ids]
    every = merged(walks, [Order.paid_at.desc()], CAP + 1)
    paid_last = select(every.c.id, every.c.created_at, every.c.paid_at)
    return paid_last.order_by(every.c.paid_at.desc()).limit(exactly(CAP + 1))
