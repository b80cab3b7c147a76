"""Pools, what is in them, and orders that get their licenses from there."""

from tempfile import TemporaryFile

import pytest

from portal.extensions import db
from portal.fulfilment.answer import LicenseRequest
from portal.models import Fulfilment, Pool, PoolLicense, PoolUpload, UploadState
from portal.models.product import Tool
from portal.pools import uploads
from portal.pools.reading import Shape
from portal.vault import vault
from tests.people import bring_in, item_document, order_document


@pytest.fixture
def pool(app):
    """A pool with nothing in it."""
    made = Pool.add("Sentinel keys", by=None)
    db.session.commit()
    return made


def fill(pool, *texts):
    """An upload with `texts`, in the pool as a confirmed one is."""
    upload = PoolUpload(
        pool=pool,
        file_name="keys.txt",
        state=UploadState.PUBLISHED,
        size=len(texts),
        free=len(texts),
    )
    db.session.add(upload)
    db.session.flush()
    for position, text in enumerate(texts, 1):
        row = PoolLicense(pool_id=pool.id, upload_id=upload.id, position=position)
        row.sealed = vault().seal(text, PoolLicense.place(upload.id, position))
        row.digest = vault().exact_digest(text)
        db.session.add(row)
    db.session.commit()
    return upload


def paid(pool, number="A0005555555", *, quantity=1, parts=False, product=None, **changes):
    """The fulfilment of a paid order whose product has its licenses from `pool`."""
    items = [item_document(codes=(), quantity=quantity, product=product)]
    order = bring_in(order_document(number, items=items, **changes))
    (fulfilment,) = Fulfilment.begin(order)
    fulfilment.product.tool = Tool.POOL
    fulfilment.product.settings = {"pool_id": pool.id, "send_what_is_there": parts}
    db.session.commit()
    return fulfilment


def texts(fulfilment):
    db.session.expire_all()
    return [license.text for license in fulfilment.item.licenses]


def request_of(fulfilment, quantity=1):
    return LicenseRequest("req_1", fulfilment.item_id, fulfilment.product_id, quantity, {})


def file_of(content):
    """A file with this content, as it was uploaded."""
    file = TemporaryFile()  # noqa: SIM115 - it is closed by who reads it
    file.write(content if isinstance(content, bytes) else content.encode())
    file.seek(0)
    return file


def upload_of(pool, content, file_name="keys.txt", **shape):
    """An upload that waits to be confirmed."""
    upload = uploads.begin(pool, file_name, by=None)
    with file_of(content) as file:
        uploads.read(upload.id, file, Shape(**shape))
    return upload


def put_in(pool, content, **shape):
    """An upload that was confirmed, and the fulfilments that are due because of it."""
    upload = upload_of(pool, content, **shape)
    due = uploads.publish(upload, by=None)
    return upload, due
