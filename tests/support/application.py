"""The application under test, with settings of its own and nothing mocked."""

import os
import re
import secrets
from base64 import b64encode
from contextlib import contextmanager

import pytest
from flask import has_request_context, request
from sqlalchemy import event

from portal.database.reading import will_write


def ordinary_settings():
    """The settings every test starts from: fresh secrets, and a password hash that is quick."""
    return {
        "TESTING": True,
        "SECRET_KEY": f"fresh-{secrets.token_hex(32)}",
        "SECURITY_PASSWORD_SALT": f"fresh-{secrets.token_hex(32)}",
        # argon2 as always, but as weak as it can be: each test signs in.
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
            "argon2__rounds": 1,
            "argon2__memory_cost": 8,
            "argon2__parallelism": 1,
        },
        "VAULT_KEYS": [_key()],
        "VAULT_DIGEST_KEY": _key(),
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_SUPPRESS_SEND": False,  # Flask-Mail sends nothing while TESTING, but for this
        "MAIL_USE_TLS": False,
        "MAIL_USE_SSL": False,
        "SESSION_COOKIE_SECURE": False,
        "WTF_CSRF_ENABLED": True,
    }


def _key():
    return b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def settings(request, database, mailbox, monkeypatch, tmp_path):
    """The settings of `app`; `@pytest.mark.settings(NAME=value)` changes some for one test."""
    for name in [name for name in os.environ if name.startswith("FLASK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KEYDESK_INSTANCE", str(tmp_path / "instance"))
    settings = ordinary_settings() | {
        "SQLALCHEMY_DATABASE_URI": database.uri,
        "MAIL_PORT": mailbox.port,
    }
    for mark in reversed(list(request.node.iter_markers("settings"))):
        settings |= mark.kwargs
    return settings


@pytest.fixture
def app(settings, keep_compiled):
    """The application on `database`, its mail going to `mailbox`.

    An application context is open while the test runs, so that models can be used as they are.
    """
    from portal import create_app

    app = create_app(settings)
    keep_compiled(app)
    refuse_to_write_while_reading(app)
    with app.app_context():
        yield app
    dispose_of(app)


def refuse_to_write_while_reading(app):
    """Fail a request that only reads and yet writes or locks: it has no transaction on PostgreSQL,
    and on SQLite it comes too late for the lock. What it counts, it counts elsewhere."""

    def refuse(_connection, _cursor, statement, *_rest):
        if has_request_context() and not will_write() and WRITES.search(statement):
            raise AssertionError(f"{request.method} {request.path}: {statement}")

    for engine in engines_of(app):
        event.listen(engine, "before_cursor_execute", refuse)


WRITES = re.compile(
    r"^(INSERT|UPDATE|DELETE)\b(?!.*\brate_limits\b)|FOR (NO KEY )?UPDATE", re.DOTALL
)


@pytest.fixture
def queue(app):
    """The queue of `app`."""
    return app.extensions["jobs"].huey


def pytest_configure(config):
    config.addinivalue_line("markers", "settings(NAME=value): change settings of `app` for a test")


def dispose_of(app):
    """Wait for the mails that `app` still sends, and close its connections to its database."""
    app.extensions["password mails"].shutdown()
    app.extensions["jobs"].close()
    for engine in engines_of(app):
        engine.dispose()


def engines_of(app):
    """What connects `app` to its database: requests that only read have their own on PostgreSQL."""
    with app.app_context():
        return list(app.extensions["sqlalchemy"].engines.values())


@contextmanager
def statements(app):
    """Collect the SQL statements that `app` runs inside the block.

    >>> with statements(app) as found:
    ...     browser.open("/orders")
    >>> assert len(found) <= 4
    """
    found = []

    def collect(_connection, _cursor, statement, *_rest):
        found.append(statement)

    for engine in engines_of(app):
        event.listen(engine, "before_cursor_execute", collect)
    try:
        yield found
    finally:
        for engine in engines_of(app):
            event.remove(engine, "before_cursor_execute", collect)
