"""What was sold: a license that an order has, by whatever way it got there, lies free in no pool,
and nobody enters it for another order.

Who gives a license of a pool has the pool locked. What no lock of a pool can decide is done in
turns: nothing is published while licenses are being saved, and one person enters at a time.
"""

from collections.abc import Iterator, Sequence

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Row, delete, exists, select, update

from portal import clock
from portal.database.statements import Turn, take_turn
from portal.extensions import db
from portal.models.item import Item
from portal.models.license import License
from portal.models.pool import Pool
from portal.models.pool_license import PoolLicense
from portal.models.pool_upload import PoolUpload, UploadState
from portal.models.refusal import Refusal, Refused
from portal.pools.findings import Findings, Kind
from portal.pools.stock import is_unsaved
from portal.vault import Unreadable, vault

# So many are asked for in one statement.
CHUNK = 1_000

IS_PUBLISHED = PoolUpload.state == UploadState.PUBLISHED

# A license that was saved: what is asked of it, and where it was sealed for.
SAVED = (
    License.id,
    License.item_id,
    License.sealed,
    License.digest,
    License.position,
    License.pool_license_id,
    Item.order_id,
    Item.ref,
)


def entry_refusal(texts: Sequence[str], item: Item) -> Refusal | None:
    """Why a person cannot enter `texts` for `item`, or None when they can."""
    given = sold(texts, but_of=item.id) | _taken(texts, item.id)
    number = next((number for number, text in enumerate(texts, 1) if text in given), None)
    if number is None:
        return None
    return Refusal(
        "license_given",
        _("This license was given to another order.")
        if len(texts) == 1
        else _("License %(number)s of these was given to another order.", number=number),
        _("Enter another one. A search for the license finds the order that has it."),
    )


def hold(texts: Sequence[str], item: Item) -> None:
    """Keep everybody else from giving `texts` to anybody until the transaction ends, for a person
    who is about to save them for `item`. Change nothing before. Raises Refused."""
    take_turn(db.session(), Turn.ENTERING_LICENSES)
    begin_saving()
    _lock_pools_with(texts)
    if refusal := entry_refusal(texts, item):
        raise Refused(refusal)


def begin_saving() -> None:
    """Let nothing be published to a pool until the transaction ends, in which licenses are going to
    be saved that are from no pool: an upload may hold them."""
    take_turn(db.session(), Turn.SAVING_LICENSES, shared=True)


def take_out(texts: Sequence[str]) -> None:
    """Take those of `texts` out of the pools that are free there: they have been saved, and go to
    the item that has them. What another item has taken stays: it was sold twice already."""
    if not (texts and _any_published() and _lock_pools_with(texts)):
        return
    safe = vault()
    for some in _chunks(texts):
        found = _in_pools(some, is_unsaved())
        named = {digest: text for text in some if (digest := safe.exact_digest(text)) in found}
        saved = {
            text: row for text, row in _saved(list(named.values())) if row.pool_license_id is None
        }
        for digest, text in named.items():
            license = saved.get(text)
            if license and found[digest].item_id in (None, license.item_id):
                _give(found[digest], license)


def leave_out(upload: PoolUpload) -> bool:
    """Take what was sold since its file was read out of an upload that waits to be confirmed; False
    when nothing is left to look at. The pool is locked."""
    if upload.state is not UploadState.READ:
        return False
    since = select(*SAVED).join(Item, Item.id == License.item_id).order_by(License.id).limit(CHUNK)
    was_sold = (License.id > upload.sold_until, License.pool_license_id.is_(None))
    rows = db.session.execute(since.where(*was_sold)).all()
    digests = [vault().exact_digest(text) for text in map(_text_of, rows) if text is not None]
    deleting = delete(PoolLicense).where(
        PoolLicense.upload_id == upload.id, PoolLicense.digest.in_(digests)
    )
    options = {"synchronize_session": False}
    deleted = db.session.execute(deleting.returning(PoolLicense.id), execution_options=options)
    if count := len(deleted.all()):
        findings = Findings.load(upload.report)
        findings.counts[Kind.NEW] -= count
        findings.counts[Kind.SOLD] += count
        upload.size, upload.report = upload.size - count, findings.dump()
    if rows:
        upload.sold_until = rows[-1].id
    return len(rows) == CHUNK


def sold(texts: Sequence[str], *, but_of: int | None = None) -> set[str]:
    """Those of `texts` that are saved as licenses of orders, other than of the item `but_of`. One
    that cannot be read counts as each that it may be."""
    safe, found = vault(), set[str]()
    for some in _chunks(texts):
        for text, row in _saved(some):
            if row.item_id == but_of:
                continue
            found |= {text} if text else {one for one in some if safe.digest(one) == row.digest}
    return found.intersection(texts)


def _saved(texts: Sequence[str]) -> Iterator[tuple[str | None, Row[*tuple[object, ...]]]]:
    """The licenses of orders that may be some of `texts`, with what they are, if it can be read.
    Their digests are alike for small and capital letters."""
    digests = set(map(vault().digest, texts))
    query = select(*SAVED).join(Item, Item.id == License.item_id)
    rows = db.session.execute(query.where(License.digest.in_(digests)).order_by(License.id.desc()))
    return ((_text_of(row), row) for row in rows.all())


def _text_of(row: Row[*tuple[object, ...]]) -> str | None:
    try:
        return vault().open(row.sealed, License.place(row.order_id, row.ref, row.position))
    except Unreadable:
        return None


def _taken(texts: Sequence[str], item_id: int) -> set[str]:
    """Those of `texts` that another item has taken from a pool, even if it has not saved them."""
    by_another = (PoolLicense.item_id.is_not(None), PoolLicense.item_id != item_id)
    safe, taken = vault(), set[str]()
    for some in _chunks(texts):
        found = _in_pools(some, *by_another)
        taken |= {text for text in some if safe.exact_digest(text) in found}
    return taken


def _in_pools(
    texts: Sequence[str], *conditions: ColumnElement[bool]
) -> dict[bytes, Row[*tuple[object, ...]]]:
    """Those of `texts` that are in pools, by their digests."""
    columns = (PoolLicense.id, PoolLicense.digest, PoolLicense.pool_id, PoolLicense.item_id)
    query = (
        select(*columns, PoolLicense.upload_id)
        .join(PoolUpload, PoolUpload.id == PoolLicense.upload_id)
        .where(
            PoolLicense.digest.in_(map(vault().exact_digest, texts)),
            IS_PUBLISHED,
            *conditions,
        )
    )
    return {row.digest: row for row in db.session.execute(query)}


def _any_published() -> bool:
    """Whether there are pools at all: most portals have none, and digests of each license that is
    imported would be made for nothing. Nothing is published meanwhile, see `begin_saving`."""
    return bool(db.session.scalar(select(exists().where(IS_PUBLISHED))))


def _lock_pools_with(texts: Sequence[str]) -> bool:
    """Lock the pools in which some of `texts` can be taken, if there are any: in the order of their
    ids, so that nobody waits in a circle."""
    rows = [_in_pools(some, is_unsaved()).values() for some in _chunks(texts)]
    pool_ids = sorted({row.pool_id for some in rows for row in some})
    for pool_id in pool_ids:
        db.session.get_one(Pool, pool_id).lock()
    return bool(pool_ids)


def _give(row: Row[*tuple[object, ...]], license: Row[*tuple[object, ...]]) -> None:
    options = {"synchronize_session": False}
    for statement in (
        update(License).where(License.id == license.id).values(pool_license_id=row.id),
        update(PoolLicense)
        .where(PoolLicense.id == row.id)
        .values(item_id=license.item_id, taken_at=clock.now()),
        update(PoolUpload)
        .where(PoolUpload.id == row.upload_id)
        .values(free=PoolUpload.free - int(row.item_id is None)),
    ):
        db.session.execute(statement, execution_options=options)
    db.session.get_one(Pool, row.pool_id).look_at_stock()


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK))
