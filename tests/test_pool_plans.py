"""What is done for pools every minute reads no table from one end to the other, on either database.

The plans are those of a pool of 20,000 of which 90 % are used, on PostgreSQL with the statistics of
1,000,000.
"""

import pytest
from sqlalchemy import insert, text, update

from portal import clock
from portal.database.statements import count_what_is_there
from portal.extensions import db
from portal.models import (
    Fulfilment,
    License,
    PoolLicense,
    PoolUpload,
    PoolWait,
    Product,
    UploadState,
)
from portal.models.fulfilment import FulfilmentState
from portal.pools import waiting
from tests import test_query_plans
from tests.support.application import statements
from tests.test_query_plans import plan_of

SIZE, USED = test_query_plans.ORDERS, test_query_plans.ORDERS * 9 // 10
TABLES = ("pool_licenses", "licenses", "items", "orders", "fulfilments")


@pytest.fixture
def used_pool(pool, acme):
    """A pool of which 90 % were taken and saved, by one order each."""
    test_query_plans.fill([acme] * 30)
    product = Product.appear(acme.id, {"1": "Sentinel"})["1"]
    upload = PoolUpload(pool=pool, file_name="keys.txt", state=UploadState.PUBLISHED)
    upload.size, upload.free, upload.next_position = SIZE, SIZE - USED, USED + 1
    db.session.add(upload)
    db.session.flush()
    db.session.execute(insert(Fulfilment), [done(item_id, product) for item_id in range(1, SIZE)])
    db.session.execute(insert(PoolLicense), [license_of(upload, n) for n in range(1, SIZE + 1)])
    saved = update(License).where(License.item_id <= USED)
    db.session.execute(saved.values(pool_license_id=License.item_id))
    db.session.commit()
    count_what_is_there(db.session)
    if db.engine.dialect.name == "postgresql":
        more = "UPDATE pg_class SET reltuples = reltuples * 50, relpages = relpages * 50"
        db.session.execute(text(f"{more} WHERE relname IN {TABLES}"))
        db.session.commit()
    return pool


def done(item_id, product):
    return {
        "item_id": item_id,
        "product_id": product.id,
        "request_id": f"req_{item_id}",
        "state": FulfilmentState.DONE,
        "attempts": 1,
    }


def license_of(upload, number):
    return {
        "id": number,
        "pool_id": upload.pool_id,
        "upload_id": upload.id,
        "position": number,
        "sealed": b"",
        "digest": number.to_bytes(16),
        "item_id": number if number <= USED else None,
        "taken_at": clock.now() if number <= USED else None,
    }


def reserve_in_vain(pool, count):
    """So many items that were fulfilled otherwise hold a license each that they never save."""
    for number in range(USED + 1, USED + 1 + count):
        db.session.get_one(PoolLicense, number).item_id = number
        db.session.add(PoolWait(item_id=number, pool_id=pool.id, ordered_at=clock.now(), missing=1))
    db.session.commit()


def test_what_is_reserved_in_vain_is_found_by_indexes_in_as_many_statements(app, used_pool):
    counts = []
    for count in (1, 50):
        reserve_in_vain(used_pool, count)
        with statements(app) as found:
            waiting.serve_all()
        counts.append(len(found))
        assert db.session.scalars(db.select(PoolWait)).all() == []
    assert counts[0] == counts[1]

    reserve_in_vain(used_pool, 2)
    plan = [line.strip().removeprefix("->").strip() for line in plan_of(waiting.serve_all)]
    assert [line for line in plan if line.startswith(SCANS)] == []
    assert any("ix_pool_licenses_item_id" in line for line in plan)


SCANS = tuple(
    start + table
    for start in ("SCAN ", "Seq Scan on ", "Parallel Seq Scan on ")
    for table in TABLES
)
