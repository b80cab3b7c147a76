"""Pools from the command line: added, filled after a look at the file, and shown."""

import pytest

from portal.extensions import db
from portal.models import Fulfilment, Pool, PoolLicense, PoolUpload, Product, UploadState
from portal.models.fulfilment import FulfilmentState
from tests.pools import paid

pytestmark = pytest.mark.usefixtures("acme")


@pytest.fixture
def file(tmp_path):
    def write(content, name="keys.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_a_pool_is_added_and_filled_and_shown(app, keydesk, file):
    added = keydesk.run("pools", "add", "Sentinel keys", "--threshold", "5")
    assert (added.returncode, added.stdout) == (0, "Added the pool Sentinel keys.\n")
    keys = file("A-1\n\nA-2\nA-1\n")
    looked = keydesk.run("pools", "upload", keys, "--pool", "Sentinel keys", "--dry-run")
    assert "2  New" in looked.stdout
    assert "1  More than once in the file: left out but for the first (lines 4)" in looked.stdout
    assert "A-1" not in looked.stdout + looked.stderr
    assert db.session.scalars(db.select(PoolUpload)).all() == []
    db.session.rollback()  # SQLite has one writer at a time

    refused = keydesk.run("pools", "upload", keys, "--pool", "Sentinel keys")
    assert refused.returncode == 1
    assert "say --yes" in refused.stderr
    done = keydesk.run("pools", "upload", keys, "--pool", "Sentinel keys", "--yes")
    assert done.stdout.endswith("2 licenses are in the pool Sentinel keys, which has 2 free.\n")
    assert keydesk.run("pools", "show").stdout == "Sentinel keys\t2 free, 0 used, threshold 5\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("Sentinel\nkeys",), "TITLE: Use one line, without control characters."),
        (("Sentinel keys", "--threshold", "2000000001"), "--threshold: Use 2000000000 at most."),
        (("Sentinel keys", "--threshold", "many"), "--threshold: Use a whole number."),
        (("Sentinel keys", "--warn", "nobody"), "--warn: An email address must have an @-sign."),
    ],
)
def test_a_pool_that_cannot_be_is_not_added(keydesk, arguments, words):
    done = keydesk.run("pools", "add", *arguments)
    assert done.returncode == 2
    assert done.stderr.endswith(f"{words}\n"), done.stderr
    assert Pool.all() == []


def test_a_title_may_hold_what_a_person_types(keydesk):
    """On the page and here the same, such as a blank that does not break."""
    done = keydesk.run("pools", "add", " Sentinel\xa0keys ", "--warn", "", "--threshold", "5")
    assert done.stdout == "Added the pool Sentinel\xa0keys.\n", done.stderr
    pool = Pool.by_title("Sentinel\xa0keys")
    assert (pool.threshold, pool.warn_to) == (5, None)


def test_the_pool_of_a_product_is_filled_and_who_waits_is_due(pool, nordsoft, keydesk, file):
    fulfilment = paid(pool)
    fulfilment.due_at = None
    db.session.commit()
    from portal.fulfilment import pool as tool
    from tests.pools import request_of

    tool.obtain(request_of(fulfilment), tool.Settings(pool_id=pool.id))
    keys = file("name;code\nx;A-1\n".encode("utf-16"), "keys.csv")
    arguments = ("--product", "1001", "--csv-column", "code", "--yes")
    done = keydesk.run("pools", "upload", keys, *arguments)
    assert done.returncode == 0, done.stderr
    db.session.expire_all()
    assert fulfilment.due_at is not None
    assert db.session.get(Fulfilment, fulfilment.id).state is FulfilmentState.WAITING


def test_a_product_is_told_which_pool_its_licenses_come_from(acme, pool, keydesk):
    product = Product.appear(acme.id, {"2002": "Sentinel Plus"})["2002"]
    db.session.commit()
    arguments = ("products", "set", "--page", "acme", "--product", "2002", "--tool", "pool")
    done = keydesk.run(*arguments, "--pool", "Sentinel keys")
    assert (done.returncode, done.stdout) == (0, "2002: Sentinel Plus, pool.\n"), done.stderr
    db.session.expire_all()
    assert product.settings["pool_id"] == pool.id
    db.session.rollback()  # SQLite has one writer at a time
    wrong = keydesk.run(*arguments, "--pool", "Nothing")
    assert wrong.returncode == 2
    assert wrong.stderr.endswith("--pool: there is no pool 'Nothing'\n"), wrong.stderr


def test_a_pipe_is_read_too(pool, keydesk):
    done = keydesk.run(
        *("pools", "upload", "-", "--pool", "Sentinel keys", "--separator", "---", "--yes"),
        stdin=b"A\nB\n---\nC\n",
    )
    assert done.returncode == 0, done.stderr
    assert pool.stock == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "either --pool or --product"),
        (("--pool", "Nothing"), "There is no pool Nothing."),
        (("--product", "9"), "There is no product 9."),
        (("--pool", "Sentinel keys", "--encoding", "klingon"), "there is no such encoding"),
        (("--pool", "Sentinel keys", "--csv-column", "x"), "Line 1: names no column"),
        (("--pool", "Sentinel keys", "--yes"), "Line 9001: is not UTF-8"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(pool, keydesk, file, arguments, words):
    db.session.commit()
    done = keydesk.run("pools", "upload", file(b"A-1\n" * 9_000 + b"\xe9\n"), *arguments)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    states = db.session.scalars(db.select(PoolUpload.state)).all()
    assert set(states) <= {UploadState.DISCARDED}
    assert Pool.by_title("Sentinel keys").stock == 0


def test_an_upload_that_is_killed_leaves_nothing_usable_and_can_be_done_again(pool, keydesk, file):
    keys = file("".join(f"A-{number}\n" for number in range(60_000)))
    arguments = ("pools", "upload", keys, "--pool", "Sentinel keys", "--yes")
    killed = keydesk.start(*arguments)
    size = None
    while not size:
        assert killed.poll() is None
        size = db.session.scalars(db.select(PoolUpload.size)).one_or_none()
        db.session.rollback()
    killed.kill()
    killed.communicate()
    begun = db.session.scalars(db.select(PoolUpload)).one()
    assert begun.state is UploadState.READING
    assert pool.stock == 0
    db.session.rollback()

    again = keydesk.run(*arguments)
    assert again.returncode == 0, again.stderr
    assert pool.stock == 60_000
    assert begun.state is UploadState.DISCARDED
    rows = db.select(db.func.count()).where(PoolLicense.upload_id == begun.id)
    assert db.session.scalars(rows).one() == 0
