"""`python -m bench.pools`: a pool of 1,000,000 licenses, how it is filled, and how it gives.

On each database: lines a second and memory of an upload, and how long eight workers take for an
allocation from a fresh pool, and from the same one when 90 % of it are used.
"""

import argparse
import resource
import time
import tomllib
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp

from sqlalchemy import select, text

from bench.installation import POSTGRESQL_SETTINGS, Installation
from portal import create_app
from portal.config import INSTANCE_FILE
from portal.extensions import db
from portal.models import CheckoutPage, Item, Order, OrderStatus, Pool, PoolUpload
from portal.pools import stock, uploads
from portal.pools.reading import Shape
from tests.support.postgres import Cluster

WORKERS = 8
ROUNDS = 3  # each state of the pool is looked at so often, for the quickest


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
        _add_items(page, options.allocations * ROUNDS * 2 + 100)
    upload = _in_a_process(_upload, portal, options.licenses)
    with get_context("spawn").Pool(WORKERS) as workers:
        _allocations(portal, workers, 0, WORKERS)  # they have to start
        fresh = _allocations(portal, workers, 100, options.allocations)
        _in_a_process(_use_up, portal, options.licenses * 9 // 10)
        following = 100 + ROUNDS * options.allocations
        used = _allocations(portal, workers, following, options.allocations)
    return (
        f"| {kind} | {upload['lines']:,.0f} | {upload['grown']:.0f} MB "
        f"| {_ms(fresh)} | {_ms(used)} | {min(used) / min(fresh):.2f} |"
    )


def _ms(seconds):
    return f"{min(seconds) * 1000:.2f} ms ({median(seconds) * 1000:.2f})"


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


def _use_up(_app, count):
    """Use `count` licenses as sales do, one after the other as far as the database can see."""
    upload = db.session.scalars(select(PoolUpload)).one()
    first = upload.next_position
    item_id = db.session.scalars(select(Item.id).limit(1)).one()
    for start in range(first, first + count, 1000):
        end = min(start + 1000, first + count)
        db.session.execute(
            text(
                "UPDATE pool_licenses SET item_id = :item, taken_at = :now"
                " WHERE upload_id = :upload AND position >= :start AND position < :end"
                " AND item_id IS NULL"
            ),
            {
                "item": item_id,
                "now": "2020-01-01 00:00:00+00:00",
                "upload": upload.id,
                "start": start,
                "end": end,
            },
        )
        upload.free -= end - start
        upload.next_position = end
        db.session.commit()


def _allocations(portal, workers, offset, count):
    """Seconds for one of `count` allocations by eight workers, in each round."""
    rounds = []
    for number in range(ROUNDS):
        begin, end = offset + number * count, offset + (number + 1) * count
        jobs = [(portal, begin + worker, end) for worker in range(WORKERS)]
        done = workers.map(_allocate, jobs, chunksize=1)
        rounds.append((max(end for _s, end in done) - min(start for start, _e in done)) / count)
    return rounds


_apps = {}


def _allocate(job):
    portal, first, end = job
    app = _app(portal)
    with app.app_context():
        pool = db.session.scalars(select(Pool)).one()
        db.session.commit()
        started = time.monotonic()
        for item_id in range(first + 1, end + 1, WORKERS):
            stock.reserve(pool, item_id, 1, in_parts=False)
        return started, time.monotonic()


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
