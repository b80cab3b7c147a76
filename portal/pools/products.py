"""Which products get their licenses from which pool."""

from collections import defaultdict

from portal.extensions import db
from portal.models.product import Product, Tool
from portal.vault import Unreadable


def pool_id_of(product: Product) -> int | None:
    """The pool that is set for `product`, whose tool is a pool; None where none can be read."""
    try:
        found = product.settings.get("pool_id")
    except Unreadable:
        return None
    return found if isinstance(found, int) else None


def ids_of(pool_id: int) -> list[int]:
    """The ids of the products that get their licenses from this pool as it is by now; those whose
    settings do not tell are among them, because nobody knows better."""
    query = db.select(Product).where(Product.tool == Tool.POOL)
    found = db.session.scalars(query, execution_options={"populate_existing": True})
    return [product.id for product in found if pool_id_of(product) in (pool_id, None)]


def by_pool() -> dict[int, list[Product]]:
    """The products of each pool, by name. Settings are sealed, so that all products are asked."""
    found: defaultdict[int, list[Product]] = defaultdict(list)
    query = db.select(Product).where(Product.tool == Tool.POOL).order_by(Product.name, Product.id)
    for product in db.session.scalars(query):
        if (pool_id := pool_id_of(product)) is not None:
            found[pool_id].append(product)
    return found
