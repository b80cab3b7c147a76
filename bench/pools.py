"""`python -m bench.pools`: a pool of 1,000,000 licenses, how it is filled, and how it gives.

On each database: lines a second and memory of an upload, and how long an allocation takes from a
fresh pool and from one of which 90 % are used, in turns. Several workers wait for each other.
"""

import argparse
import os
import resource
import time
import tomllib
from datetime import UTC, datetime
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp

from sqlalchemy import select, text

from bench.installation import POSTGRESQL_SETTINGS, Installation
from portal import create_app
from portal.config import INSTANCE_FILE
from portal.database.tables import insert_many, rows_of
from portal.extensions import db
from portal.models import (
    CheckoutPage,
    Item,
    Order,
    OrderStatus,
    Pool,
    PoolLicense,
    PoolUpload,
    UploadState,
)
from portal.pools import stock, uploads
from portal.pools.reading import Shape
from tests.support.postgres import Cluster


def main():
    """Print the figures, as Markdown."""
    options = _options()
    print("| | lines a second | memory | fresh | 90 % used | used / fresh |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with TemporaryDirectory() as folder:
        for kind in options.database:
            print(_measured(Path(folder) / kind, kind, options), flush=True)


def _options():
    parser = argparse.ArgumentParser(prog="python -m bench.pools", description=__doc__)
    parser.add_argument("--licenses", type=int, default=1_000_000)
    parser.add_argument("--allocations", type=int, default=2_000)
    parser.add_argument("--workers", type=int, default=1, help="who take at the same time (1)")
    parser.add_argument("--no-upload", dest="upload", action="store_false")
    parser.add_argument(
        "--database", choices=["sqlite", "postgresql"], nargs="+", default=["sqlite", "postgresql"]
    )
    return parser.parse_args()


def _measured(folder, kind, options):
    folder.mkdir()
    if kind == "sqlite":
        return _row(kind, Installation(folder / "instance", "", 0), options)
    Path(folder).parent.chmod(0o711)
    cluster = Cluster.start(folder, POSTGRESQL_SETTINGS)
    try:
        cluster.create("pools")
        return _row(kind, Installation(folder / "instance", cluster.uri("pools"), 0), options)
    finally:
        cluster.close()
        cluster.stop("fast")


def _row(kind, portal, options):
    with portal.without_orders():
        page = db.session.scalars(select(CheckoutPage)).first()
        _add_items(page, options.allocations * 2 + 2)
    upload = _in_a_process(_upload, portal, options.licenses) if options.upload else None
    _in_a_process(_two_pools, portal, options.licenses)
    fresh, used = _allocations(portal, options.workers, options.allocations)
    lines = f"{upload['lines']:,.0f} | {upload['grown']:.0f} MB" if upload else " | "
    ratio = median(used) / median(fresh)
    return f"| {kind} | {lines} | {_ms(fresh)} | {_ms(used)} | {ratio:.2f} |"


def _ms(seconds):
    return f"{median(seconds) * 1000:.2f} ms"


def _add_items(page, count):
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    for first in range(1, count + 1, 1000):
        numbers = range(first, min(first + 1000, count + 1))
        for number in numbers:
            item = Item(
                ref="1", position=1, product_code="1", product_name="x", quantity=1, amount=1
            )
            order = Order(
                id=number, number=f"A{number:010}", checkout_page=page, status=OrderStatus.PAID,
                created_at=moment, currency="EUR", total=1, locale="en", customer_type="person",
                search_text="", items=[item],
            )  # fmt: skip
            db.session.add(order)
        db.session.commit()
        db.session.expunge_all()


def _upload(_app, count):
    """Lines a second, and by how many MB the process grew after the first lines."""
    pool = Pool.add("Bench", by=None)
    db.session.commit()
    path = Path(mkdtemp()) / "keys.txt"
    with path.open("w") as file:
        file.writelines(
            f"AV7K2-{number:07}-44RTZ-{number * 7919 % 999983:06}\n" for number in range(count)
        )
    sizes = []
    upload = uploads.begin(pool, "keys.txt", by=None)
    started = time.perf_counter()
    with path.open("rb") as file:
        uploads.read(
            upload.id,
            file,
            Shape(),
            lambda _read: sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss),
        )
    uploads.publish(upload, by=None)
    seconds = time.perf_counter() - started
    rmtree(path.parent)
    assert pool.stock == count, pool.stock
    return {"lines": count / seconds, "grown": (sizes[-1] - sizes[len(sizes) // 20]) / 1024}


def _two_pools(_app, count):
    """Two pools of `count` licenses that nobody can read, of which the second is 90 % used."""
    for number, title in enumerate(("Fresh", "Used")):
        pool = Pool.add(title, by=None)
        state = {"state": UploadState.PUBLISHED, "size": count, "free": count}
        upload = PoolUpload(pool=pool, file_name="keys.txt", **state)
        db.session.add(upload)
        db.session.commit()
        for first in range(1, count + 1, 10_000):
            rows = [
                {
                    "pool_id": pool.id,
                    "upload_id": upload.id,
                    "position": position,
                    "sealed": bytes(60),
                    "digest": os.urandom(12) + (number * count + position).to_bytes(4, "big"),
                }
                for position in range(first, min(first + 10_000, count + 1))
            ]
            insert_many(PoolLicense, rows_of(PoolLicense, rows))
            db.session.commit()
    _use_up(upload, count * 9 // 10)


def _use_up(upload, count):
    """Use `count` licenses as sales do, one after the other as far as the database can see."""
    item_id = db.session.scalars(select(Item.id).limit(1)).one()
    using = text(
        "UPDATE pool_licenses SET item_id = :item, taken_at = :now WHERE item_id IS NULL"
        " AND upload_id = :upload AND position >= :start AND position < :end"
    )
    for start in range(1, count + 1, 1000):
        values = {"item": item_id, "now": "2020-01-01 00:00:00+00:00", "upload": upload.id}
        db.session.execute(using, values | {"start": start, "end": start + 1000})
        upload.free -= 1000
        upload.next_position = start + 1000
        db.session.commit()


def _allocations(portal, workers, count):
    """Seconds of `count` allocations from each of the two pools, by several workers."""
    with get_context("spawn").Pool(workers) as processes:
        jobs = [(portal, worker, workers, count) for worker in range(workers)]
        done = processes.map(_allocate, jobs, chunksize=1)
    return [list(chain.from_iterable(times)) for times in zip(*done, strict=True)]


_apps = {}


def _allocate(job):
    """In turns from the one and the other, so that a busy moment falls on both."""
    portal, worker, workers, count = job
    with _app(portal).app_context():
        pools = [Pool.by_title("Fresh"), Pool.by_title("Used")]
        db.session.commit()
        taken = ([], [])
        for number in range(worker, count, workers):
            for which, pool in enumerate(pools):
                started = time.perf_counter()
                stock.reserve(pool, 2 * number + which + 2, 1, in_parts=False)
                taken[which].append(time.perf_counter() - started)
        return taken


def _app(portal):
    if portal not in _apps:
        settings = tomllib.loads((portal.folder / INSTANCE_FILE).read_text())
        uri = portal.uri or f"sqlite:///{portal.folder}/keydesk.db"
        _apps[portal] = create_app(settings | {"SQLALCHEMY_DATABASE_URI": uri})
    return _apps[portal]


def _in_a_process(deed, portal, count):
    """What `deed` says, in a process of its own, whose memory is its own too."""
    with get_context("spawn").Pool(1) as worker:
        return worker.apply(_do, (deed, portal, count))


def _do(deed, portal, count):
    app = _app(portal)
    with app.app_context():
        return deed(app, count)


if __name__ == "__main__":
    main()
