"""The sealed texts of which there are very many: for which place they are sealed, and what is
derived of them. Another table of such gets a line in `MANY`, or its texts are lost when the key is
changed and the old one goes; one with fewer rows gets one in portal/cli/vault.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, Table, select

from portal.models import Item, License, PoolLicense
from portal.vault import Vault

SavedRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Texts:
    """One table. `rows` are its rows by id, with `id`, `sealed`, and what `place` and `name` need.
    `digests` are the columns that depend on the text and on VAULT_DIGEST_KEY."""

    noun: str
    table: Table
    rows: Select[*tuple[Any, ...]]
    place: Callable[[SavedRow], str]
    name: Callable[[SavedRow], str]
    digests: Callable[[Vault, str], dict[str, object]]


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


LICENSES = Texts(
    "licenses",
    _table(License),
    select(License.id, License.position, License.sealed, Item.order_id, Item.ref)
    .join(Item, Item.id == License.item_id)
    .order_by(License.id),
    place=lambda row: License.place(row.order_id, row.ref, row.position),
    name=lambda row: f"License {row.id} of order {row.order_id}",
    digests=lambda safe, text: {
        "digest": safe.digest(text),
        "tail_digest": safe.tail_digest(text),
    },
)

POOL_LICENSES = Texts(
    "licenses of pools",
    _table(PoolLicense),
    select(
        PoolLicense.id,
        PoolLicense.position,
        PoolLicense.upload_id,
        PoolLicense.sealed,
        PoolLicense.pool_id,
    ).order_by(PoolLicense.id),
    place=lambda row: PoolLicense.place(row.upload_id, row.position),
    name=lambda row: f"License {row.id} of pool {row.pool_id}",
    digests=lambda safe, text: {"digest": safe.exact_digest(text)},
)

MANY = (LICENSES, POOL_LICENSES)
