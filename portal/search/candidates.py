"""Orders that are found by something else than their place in the list.

The newest of them are found first, at most CAP + 1, and sorted into the order of the list
afterwards: to sort all that a common word finds takes too long.
"""

from typing import Any

from sqlalchemy import Select, case, column, exists, func, literal_column, or_, select, union_all
from sqlalchemy import table as bare_table

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

# What a rare word finds at most.
FEW = 100
# What is in no text: SQLite looks for this in no time.
NOTHING: Any = literal_column("'\"\"'")

Ids = Select[*tuple[Any, ...]]


def candidates(shape: Shape) -> list[Any]:
    """The ways to find orders (ids and times of creation)."""
    filters = [*has_status(shape), *created_in(shape)]
    if shape.way is Way.PAID:
        return [_paid(shape, [*only_checked(filters), *is_delivered(shape)])]
    filters = only_checked([*of_pages(shape.scope), *filters, *paid_in(shape)])
    return _asked_for(shape, [*filters, *is_delivered(shape)])


def owns_license(shape: Shape) -> Any:
    """Whether an order has the license asked for, as a condition."""
    digests = [one_given(License.digest, "digests")]
    if "tail_digests" in shape.filled:
        digests.append(one_given(License.tail_digest, "tail_digests"))
    return exists().where(Item.order_id == Order.id, License.item_id == Item.id, or_(*digests))


def licensed(scope: Scope, *, but_numbers: bool) -> Ids:
    """An order of `scope` that has the license whose digest is given; none where a number that is
    given is another order's that is in it."""
    theirs = select(Order.id).where(*only_checked(of_pages(scope)))
    found = theirs.where(Order.id.in_(_orders_with(License.digest))).limit(exactly(1))
    if but_numbers:
        numbered = theirs.where(one_given(Order.id, "numbers")).correlate(None)
        found = found.where(~numbered.exists())
    return found


def _asked_for(shape: Shape, filters: Conditions) -> list[Any]:
    """For each thing that the box may mean, the orders that it finds."""
    every = select(Order.id, Order.created_at).where(*filters)
    ways = [every.where(Order.id.in_(_orders_with(License.digest)))]
    if "tail_digests" in shape.filled:
        ways.append(every.where(Order.id.in_(_orders_with(License.tail_digest))))
    if "numbers" in shape.filled:
        ways.append(every.where(one_given(Order.id, "numbers")))
    ways = [way.order_by(Order.id.desc()).limit(exactly(CAP + 1)) for way in ways]
    if "phrases" in shape.filled:
        ways += _by_phrases(shape, every)
    elif "word_0" in shape.filled:
        ways += _by_words(shape, every)
    return ways


def _by_words(shape: Shape, every: Ids) -> list[Any]:
    """Those of `every` that PostgreSQL's index of the search text finds."""
    has = [Order.search_text.like(given(name)) for name in _named(shape, "word")]
    newest = every.where(*has).order_by(Order.id.desc()).limit(exactly(CAP + 1))
    if "ending" not in shape.filled:
        return [newest]
    endings = select(Order.id).where(Order.search_text.like(given("ending")))
    few = endings.order_by(Order.id.desc()).limit(exactly(FEW + 1)).cte("endings")
    by_ending = every.join(few, few.c.id == Order.id).where(_are_few(few), *_has_whole(shape))
    return [by_ending, newest.where(~_are_few(few))]


def _by_phrases(shape: Shape, every: Ids) -> list[Any]:
    """Those of `every` that SQLite's index of the search text finds: the few that there are of a
    rare word, or the newest. The newest first takes it three times as long."""
    few = (_few_by_ending(shape) if "ending" in shape.filled else _few(given("phrases"))).cte("few")
    are_few = _are_few(few)
    many = _in_index(case((are_few, NOTHING), else_=given("phrases"))).subquery()
    newest = every.join(many, many.c.id == Order.id).order_by(many.c.id.desc())
    newest = newest.limit(exactly(CAP + 1))
    return [every.join(few, few.c.id == Order.id).where(are_few), newest]


def _few_by_ending(shape: Shape) -> Any:
    """The same as _few, for words of which one has an ending that is rare by itself, as codes have
    that begin alike: the index reads all that begin so before it sees how they end."""
    endings = _few(given("ending")).cte("endings")
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


def _are_few(found: Any) -> Any:
    return select(func.count()).select_from(found).scalar_subquery() <= FEW


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
