"""License text at rest: nobody reads it without the key, and it opens at its own place alone."""

import json
import re
import secrets
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal import clock
from portal.cli.vault import OTHERS
from portal.extensions import db
from portal.models import Hook, License, PageSecret, PoolLicense, ReceivedMessage
from portal.sealed import MANY
from portal.vault import KEY_BYTES, Unreadable, Vault, read_key, vault
from tests.people import CODE, bring_in, item_document, order_document
from tests.pools import put_in
from tests.support.senders import Sender, message

KEY, OTHER_KEY, DIGEST_KEY = (bytes([number]) * KEY_BYTES for number in (1, 2, 3))
SAFE = Vault([KEY], DIGEST_KEY)
PLACE = License.place(5555555, "1", 1)


def fresh_key():
    return b64encode(secrets.token_bytes(KEY_BYTES)).decode()


@given(st.text())
def test_what_was_sealed_opens_to_the_letter(code):
    sealed = SAFE.seal(code, PLACE)
    assert SAFE.open(sealed, PLACE) == code


def test_the_same_text_is_never_sealed_alike():
    assert SAFE.seal(CODE, PLACE) != SAFE.seal(CODE, PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        License.place(5555556, "1", 1),
        License.place(5555555, "2", 1),
        License.place(5555555, "1", 2),
    ],
    ids=["another order", "another item", "another license of the item"],
)
def test_a_sealed_text_opens_at_no_other_place(elsewhere):
    with pytest.raises(Unreadable):
        SAFE.open(SAFE.seal(CODE, PLACE), elsewhere)


def test_no_two_places_have_one_name():
    assert License.place(1, "2:3", 4) != License.place(1, "3", 42)
    assert License.place(1, "1", 12) != License.place(1, "12:1", 1)


@pytest.mark.parametrize("at", range(0, len(SAFE.seal(CODE, PLACE)), 5))
def test_a_changed_byte_is_noticed(at):
    sealed = bytearray(SAFE.seal(CODE, PLACE))
    sealed[at] ^= 1
    with pytest.raises(Unreadable):
        SAFE.open(bytes(sealed), PLACE)


@pytest.mark.parametrize("length", [0, 3, 4, 16, 20])
def test_what_is_cut_short_is_unreadable(length):
    with pytest.raises(Unreadable):
        SAFE.open(SAFE.seal(CODE, PLACE)[:length], PLACE)


def test_an_unknown_key_is_named_by_its_id_and_several_keys_open():
    sealed = SAFE.seal(CODE, PLACE)
    with pytest.raises(Unreadable, match=r"no key with the id [0-9a-f]{8} is configured"):
        Vault([OTHER_KEY], DIGEST_KEY).open(sealed, PLACE)
    both = Vault([OTHER_KEY, KEY], DIGEST_KEY)
    assert both.open(sealed, PLACE) == CODE
    assert not both.is_newest(sealed)
    assert both.is_newest(both.seal(CODE, PLACE))


@pytest.mark.parametrize(
    "same",
    ["av7k29qxpl", "AV7K2 9QXPL", " av7k2–9qxpl ", "AV7K2\u20119QXPL", "ＡＶ７Ｋ２－９ＱＸＰＬ"],
)  # fmt: skip
def test_digests_see_no_case_no_hyphens_and_no_blanks(same):
    assert SAFE.digest(same) == SAFE.digest("AV7K2-9QXPL")
    assert SAFE.tail_digest(same) == SAFE.tail_digest("29qxpl")


@pytest.mark.parametrize("dash", list("-‐‑‒–—―−﹣－"))
def test_every_dash_is_a_hyphen(dash):
    assert SAFE.digest(f"A{dash}B") == SAFE.digest("AB")


def test_digests_tell_apart_and_need_the_key():
    assert SAFE.digest("AB") != SAFE.digest("AC")
    assert SAFE.digest("ABCDEF") != SAFE.tail_digest("ABCDEF")
    assert SAFE.digest("AB") != Vault([KEY], OTHER_KEY).digest("AB")
    assert SAFE.digest("---") != SAFE.digest("-")


@pytest.mark.parametrize("key", ["", "not base64!", "c2hvcnQ=", "é"])
def test_a_key_that_is_none_is_refused_without_being_shown(key):
    with pytest.raises(ValueError, match=r"is not Base64|has \d+ bytes where 32 are needed") as no:
        read_key(key)
    assert not key or key not in str(no.value)


def test_the_database_holds_no_license(app, order):
    for table in License.metadata.sorted_tables:
        for row in db.session.execute(select(table)):
            assert CODE not in repr(tuple(row))
            assert not any(isinstance(value, bytes) and b"0018M" in value for value in row)


def test_a_license_in_another_row_is_unreadable_and_the_rest_of_the_page_is_there(
    app, signed_in, rob, caplog
):
    order = bring_in(order_document(codes=["FIRST-1", "SECOND-2"]))
    first, second = order.items[0].licenses
    first.sealed = second.sealed
    page = signed_in(rob).open("/orders/A0005555555")
    assert page.status == 200
    assert "SECOND-2" in page.text
    assert "FIRST-1" not in page.text
    assert f"License {first.id} of order 5555555 is unreadable" in caplog.text
    assert "SECOND-2" not in caplog.text


def test_an_order_is_found_by_a_license_that_cannot_be_read(app, signed_in, rob, order, license):
    license.sealed = b"\0" * len(license.sealed)
    page = signed_in(rob).open("/orders").fill("Search orders", CODE).press("Find")
    assert "A0005555555" in page.text


@pytest.fixture
def many(app, acme):
    """An order with 2,500 licenses, which is more than rotating takes at a time."""
    items = [item_document(codes=[f"CODE-{number:05}" for number in range(2500)])]
    order = bring_in(order_document(items=items))
    db.session.commit()
    return order


def rotated(settings):
    """The variables of the environment for a new key in front of the old ones."""
    keys = [fresh_key(), *settings["VAULT_KEYS"]]
    return keys, {"FLASK_VAULT_KEYS": json.dumps(keys)}


def under(key):
    """How many licenses are sealed under `key`."""
    start = Vault([read_key(key)], DIGEST_KEY).seal("", "")[:4]
    query = (
        select(func.count()).select_from(License).where(func.substr(License.sealed, 1, 4) == start)
    )
    found = db.session.scalar(query)
    db.session.commit()
    return found


def test_rotating_seals_everything_anew_and_the_old_key_can_go(keydesk, settings, many):
    (new, old), changes = rotated(settings)
    run = keydesk.run("vault", "rotate", **changes)
    assert (run.returncode, run.stdout, run.stderr) == (
        0, "2500 licenses are under the newest key, 0 are unreadable.\n", "",
    )  # fmt: skip
    assert (under(new), under(old)) == (2500, 0)
    safe = Vault([read_key(new)], read_key(settings["VAULT_DIGEST_KEY"]))
    row = db.session.scalars(select(License).order_by(License.id.desc()).limit(1)).one()
    assert safe.open(row.sealed, License.place(5555555, "1", row.position)) == "CODE-02499"


def test_rotating_renews_what_finds_a_license(keydesk, settings, order):
    db.session.commit()
    digest_key = fresh_key()
    keydesk.run("vault", "rotate", FLASK_VAULT_DIGEST_KEY=digest_key)
    safe = Vault([KEY], read_key(digest_key))
    row = db.session.execute(select(License.digest, License.tail_digest)).one()
    assert tuple(row) == (safe.digest(CODE), safe.tail_digest(CODE))


def test_rotating_that_was_killed_is_finished_by_the_next(keydesk, settings, many):
    (new, old), changes = rotated(settings)
    killed = keydesk.start("vault", "rotate", **changes)
    deadline = clock.now().timestamp() + 30
    while under(new) == 0:
        assert clock.now().timestamp() < deadline
    killed.kill()
    killed.communicate()
    assert under(new) in (1000, 2000, 2500)
    assert keydesk.run("vault", "rotate", **changes).returncode == 0
    assert (under(new), under(old)) == (2500, 0)


def test_rotating_leaves_what_it_cannot_read_and_says_so(keydesk, settings, many):
    broken = many.items[0].licenses[7]
    broken.sealed = b"\0" * len(broken.sealed)
    broken_id = broken.id
    db.session.commit()
    (new, _old), changes = rotated(settings)
    run = keydesk.run("vault", "rotate", **changes)
    assert run.returncode == 1
    assert run.stdout == "2499 licenses are under the newest key, 1 are unreadable.\n"
    assert run.stderr == f"License {broken_id} of order 5555555 is unreadable.\n"
    assert under(new) == 2499


def test_rotating_without_the_former_key_names_some_of_what_is_lost(keydesk, settings, many):
    (new, _old), changes = rotated(settings)
    run = keydesk.run("vault", "rotate", **changes | {"FLASK_VAULT_KEYS": new})
    assert run.stdout == "0 licenses are under the newest key, 2500 are unreadable.\n"
    assert len(run.stderr.splitlines()) == 20


def test_rotating_seals_the_secrets_and_messages_of_checkout_pages_too(
    app, keydesk, settings, acme
):
    secret = PageSecret.add(acme, Hook.WEBHOOK)
    db.session.commit()
    sender = Sender(app, "/hooks/acme", secret)
    for number in range(120):
        assert sender.tell(message(number=f"A{number + 1}")).status_code == 200
    ReceivedMessage.newest(acme)[0].sealed = None
    ReceivedMessage.newest(acme)[1].sealed = b"\0" * 100
    db.session.commit()

    (new, _old), changes = rotated(settings)
    run = keydesk.run("vault", "rotate", **changes)
    assert run.returncode == 1
    assert run.stdout.splitlines()[1:] == ["1 secrets, settings or messages are unreadable."]
    assert re.fullmatch(r"ReceivedMessage \d+ is unreadable\.\n", run.stderr)
    app.extensions["vault"] = Vault([read_key(new)], DIGEST_KEY)
    assert PageSecret.of(acme, Hook.WEBHOOK)[0].text == secret
    bodies = [received.body for received in ReceivedMessage.newest(acme, limit=200)]
    assert bodies[:2] == [None, None]
    assert all("kim@example.com" in body for body in bodies[2:])


def test_licenses_can_be_resent_while_others_are_sealed_anew(keydesk, settings, many, database):
    """A resend needs the write lock of SQLite, and its license's row on PostgreSQL."""
    _keys, changes = rotated(settings)
    db.session.commit()
    run = keydesk.start("vault", "rotate", **changes)
    sent = 0
    while run.poll() is None:
        license = db.session.scalars(select(License).limit(1)).one()
        license.__dict__.pop("text", None)
        license.item.order.locale = "en" if sent % 2 else "de"
        db.session.commit()
        sent += 1
    assert run.communicate()[1] == b""
    assert sent > 0


def test_a_fresh_key_is_a_key(keydesk):
    run = keydesk.run("vault", "new-key")
    assert len(read_key(run.stdout.strip())) == KEY_BYTES


def test_the_log_of_a_server_with_the_wrong_key_names_the_key_it_lacks(app, order, caplog):
    db.session.commit()
    license = db.session.scalars(select(License)).one()
    app.extensions["vault"] = Vault([OTHER_KEY], DIGEST_KEY)
    assert license.text is None
    assert re.search(r"no key with the id [0-9a-f]{8} is configured", caplog.text)
    assert vault().open(vault().seal("A", "x"), "x") == "A"


def test_rotating_seals_pools_anew_too(keydesk, settings, pool):
    put_in(pool, "A-1\nA-2\n")
    (new, _old), changes = rotated(settings)
    digest_key = fresh_key()
    db.session.commit()
    run = keydesk.run("vault", "rotate", **changes, FLASK_VAULT_DIGEST_KEY=digest_key)
    assert run.stdout.splitlines() == [
        "0 licenses are under the newest key, 0 are unreadable.",
        "2 licenses of pools are under the newest key, 0 are unreadable.",
    ]
    safe = Vault([read_key(new)], read_key(digest_key))
    rows = db.session.scalars(select(PoolLicense).order_by(PoolLicense.id)).all()
    texts = [safe.open(row.sealed, PoolLicense.place(row.upload_id, row.position)) for row in rows]
    assert texts == ["A-1", "A-2"]
    assert [row.digest for row in rows] == [safe.exact_digest(text) for text in texts]


def test_all_that_is_sealed_is_sealed_anew():
    sealed = {table.name for table in License.metadata.sorted_tables if "sealed" in table.columns}
    anew = {texts.table.name for texts in MANY} | {model.__tablename__ for model in OTHERS}
    assert sealed == anew
