"""Which lists are known to be longer than anybody counts.

No order is ever taken away, nor moved to another checkout page: once some pages have so many orders
they always have, and to count them again would take half of the time that their list takes.
"""

from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from portal.extensions import db
from portal.search import Search
from portal.search.scope import Scope

_known: WeakKeyDictionary[Engine, set[tuple[Scope, int]]] = WeakKeyDictionary()


def is_known(search: Search, scope: Scope, cap: int) -> bool:
    """Whether `search`, which takes all orders of `scope`, has found `cap` of them before."""
    return search.takes_all and (scope, cap) in _known.get(db.engine, ())


def learn(search: Search, scope: Scope, cap: int) -> None:
    """Remember that `search` has found `cap` orders of `scope`."""
    if search.takes_all:
        _known.setdefault(db.engine, set()).add((scope, cap))
