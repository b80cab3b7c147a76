"""Every setting, with the value it has unless you say otherwise, and where settings come from.

In rising order of weight: the defaults below, the instance file (`keydesk.toml` in the instance
folder), the environment (`FLASK_` before the name), what the caller of `create_app` gives.
"""

import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.cli import NoAppException
from pydantic import ValidationError

from portal.settings import Settings

INSTANCE_FILE = "keydesk.toml"
SECRETS = ("SECRET_KEY", "SECURITY_PASSWORD_SALT", "VAULT_KEYS", "VAULT_DIGEST_KEY")

DEFAULTS: dict[str, object] = {
    # Where people reach the portal: links in e-mails begin with it.
    "PORTAL_URL": "http://127.0.0.1:5000",
    # Further names under which it is asked, for instance for webhooks alone.
    "PORTAL_HOSTS": None,
    # The name of the portal in its pages, and the zone and language of its times and amounts.
    "PORTAL_NAME": "Keydesk",
    "BABEL_DEFAULT_TIMEZONE": "UTC",
    "BABEL_DEFAULT_LOCALE": "en",
    # SQLite in the instance folder unless told otherwise; seconds to wait for another writer.
    "SQLALCHEMY_DATABASE_URI": "",
    "SQLITE_BUSY_TIMEOUT": 10.0,
    # The mail server, and how long one mail may take in all, in seconds.
    "MAIL_SERVER": "127.0.0.1",
    "MAIL_PORT": 25,
    "MAIL_USE_TLS": False,
    "MAIL_USE_SSL": False,
    "MAIL_USERNAME": None,
    "MAIL_PASSWORD": None,
    "MAIL_DEFAULT_SENDER": "keydesk@localhost",
    "MAIL_TIME_LIMIT": 12.0,
    # What failed for the time being is tried again after so many seconds, the last of them again
    # and again, for so many hours.
    "RETRY_WAITS": "60 300 900 3600",
    "RETRY_HOURS": 48.0,
    # How many things the worker does at once.
    "WORKER_THREADS": 4,
    # How many proxies in front of the portal set X-Forwarded-For and X-Forwarded-Proto.
    "TRUSTED_PROXIES": 0,
    # Sign-ins to be tried by one network address and for one account.
    "LOGIN_LIMIT_ADDRESS": "30 per 10 minutes",
    "LOGIN_LIMIT_ACCOUNT": "10 per 10 minutes",
    # Requests to the API that are signed with one token.
    "API_LIMIT": "300 per minute",
    # What is kept in a day of the messages of one checkout page, in MiB.
    "MESSAGE_MIB_PER_DAY": 50,
    "SESSION_HOURS": 12.0,
    "SESSION_COOKIE_SECURE": True,
    # The demo shows the mails that it caught; nothing else sets this.
    "DEMO": False,
}

# What is not for anybody to choose, because the code around it relies on it.
FIXED: dict[str, object] = {
    # Requests that a process answers at once, see `keydesk serve --threads`.
    "DESK_THREADS": 4,
    # What a failed statement was given is not for the logs: it may be somebody's license.
    "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True},
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_NAME": "keydesk",
    "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
    "MAX_CONTENT_LENGTH": 1024 * 1024,
    "BABEL_TRANSLATION_DIRECTORIES": "portal/locale",
    "MAIL_SUPPRESS_SEND": False,
    "MAIL_DEBUG": False,
    "SECURITY_URL_PREFIX": None,
    "SECURITY_LOGIN_URL": "/login",
    "SECURITY_LOGOUT_URL": "/logout",
    "SECURITY_LOGOUT_METHODS": ["POST"],
    "SECURITY_POST_LOGIN_VIEW": "/orders",
    "SECURITY_POST_LOGOUT_VIEW": "/login",
    "SECURITY_CHANGEABLE": True,
    "SECURITY_POST_CHANGE_VIEW": "/orders",
    "SECURITY_CHANGE_URL": "/password",
    "SECURITY_RECOVERABLE": True,
    "SECURITY_RESET_URL": "/password/reset",
    "SECURITY_RESET_PASSWORD_WITHIN": timedelta(days=3),
    "SECURITY_POST_RESET_VIEW": "/login",
    "SECURITY_EMAIL_SUBJECT_PASSWORD_RESET": "Choose a new password",
    "SECURITY_EMAIL_SUBJECT_PASSWORD_NOTICE": "Your password was changed",
    "SECURITY_EMAIL_SUBJECT_PASSWORD_CHANGE_NOTICE": "Your password was changed",
    # What staff read in our own words; the others of Flask-Security's nobody here meets.
    "SECURITY_MSG_GENERIC_AUTHN_FAILED": ("The e-mail address or the password is wrong.", "error"),
    "SECURITY_MSG_INVALID_PASSWORD": ("This is not your password.", "error"),
    "SECURITY_MSG_INVALID_RESET_PASSWORD_TOKEN": (
        "This link cannot be used any more. Ask for a new one.",
        "error",
    ),
    "SECURITY_MSG_PASSWORD_RESET_REQUEST": (
        "If this address has access, a link is on its way to it.",
        "success",
    ),
    "SECURITY_MSG_PASSWORD_RESET_EXPIRED": (
        "This link is too old. It was good for %(within)s.",
        "error",
    ),
    "SECURITY_MSG_PASSWORD_RESET_NO_LOGIN": ("Your password is set. Sign in with it.", "success"),
    "SECURITY_MSG_PASSWORD_CHANGE": ("Your password was changed.", "success"),
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_LENGTH_MIN": 10,
    "SECURITY_RETURN_GENERIC_RESPONSES": True,
    "SECURITY_DEFAULT_REMEMBER_ME": False,
    # Signing in goes through the page alone, where it is limited: no tokens of Flask-Security's, no
    # other ways in, and nothing that makes a session last longer.
    "SECURITY_API_ENABLED_METHODS": ["session"],
    "SECURITY_FRESHNESS": timedelta(hours=-1),
    "SECURITY_REGISTERABLE": False,
    "SECURITY_CONFIRMABLE": False,
    "SECURITY_PASSWORDLESS": False,
    "SECURITY_UNIFIED_SIGNIN": False,
    "SECURITY_TWO_FACTOR": False,
    "SECURITY_WEBAUTHN": False,
    "SECURITY_OAUTH_ENABLE": False,
    "SECURITY_REFRESH_TOKEN": False,
    "SECURITY_CHANGE_EMAIL": False,
    "SECURITY_CHANGE_USERNAME": False,
    "SECURITY_USERNAME_ENABLE": False,
    "SECURITY_USERNAME_RECOVERY": False,
    "SECURITY_MULTI_FACTOR_RECOVERY_CODES": False,
    "SECURITY_REDIRECT_BEHAVIOR": None,
    "SECURITY_STATIC_FOLDER": None,
    "SECURITY_CLI_USERS_NAME": False,
    "SECURITY_CLI_ROLES_NAME": False,
    "SECURITY_JOIN_USER_ROLES": False,
    "SECURITY_AUTO_LOGIN_AFTER_RESET": False,
    "SECURITY_CSRF_IGNORE_UNAUTH_ENDPOINTS": False,
    "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False, "globally_deliverable": False},
    # A page that was left open is good again once its person has signed in, for a week.
    "WTF_CSRF_TIME_LIMIT": 7 * 24 * 3600,
    "RATELIMIT_STORAGE_URI": "keydesk://",
    "RATELIMIT_STRATEGY": "fixed-window",
    "RATELIMIT_HEADERS_ENABLED": False,  # they cost two statements; errors.py says Retry-After
}


# Extensions have more settings than are named here, which the instance file may set too.
OF_EXTENSIONS = ("SECURITY_", "SQLALCHEMY_", "WTF_")


class SettingsError(NoAppException):
    """A setting that cannot be used; the message is one line that names it."""


def configure(app: Flask, given: Mapping[str, object] | None) -> None:
    """Fill `app.config` from all sources and check it. Raises SettingsError."""
    app.config.from_mapping(DEFAULTS)
    _read_instance_file(app)
    app.config.from_prefixed_env()
    _take_literally(app)
    app.config.from_mapping(FIXED)
    app.config.from_mapping(given)
    if not app.config["SQLALCHEMY_DATABASE_URI"]:
        path = Path(app.instance_path) / "keydesk.db"
        app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{path}"
    keys = app.config.get("VAULT_KEYS")
    if isinstance(keys, str):  # several keys in one variable of the environment
        app.config["VAULT_KEYS"] = keys.replace(",", " ").split()
    _check(app)


def _take_literally(app: Flask) -> None:
    """Flask reads the environment as JSON where it can, which makes a number of the password
    12345. Our settings are text there until their type says otherwise, but for a list of keys."""
    for name in {*DEFAULTS, *SECRETS} - {"VAULT_KEYS"}:
        text = os.environ.get(f"FLASK_{name}")
        if text is not None:
            app.config[name] = text


def instance_folder() -> Path:
    """Where the instance file and a SQLite database are: KEYDESK_INSTANCE, or `instance/` here."""
    return Path(os.environ.get("KEYDESK_INSTANCE", "instance")).resolve()


def _read_instance_file(app: Flask) -> None:
    path = Path(app.instance_path) / INSTANCE_FILE
    try:
        with path.open("rb") as file:
            settings = tomllib.load(file)
    except FileNotFoundError:
        return
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    known = {*DEFAULTS, *SECRETS, *FIXED, *app.default_config}
    for name in settings:
        if name not in known and not name.startswith(OF_EXTENSIONS):
            raise SettingsError(f"{path}: there is no setting {name!r}.")
    app.config.from_mapping(settings)


def _check(app: Flask) -> None:
    missing = [name for name in SECRETS if not app.config.get(name)]
    if missing:
        raise SettingsError(
            f"No {missing[0]} is set. Run 'keydesk init' to write an instance file with fresh "
            f"secrets, or set FLASK_{missing[0]}."
        )
    try:
        checked = Settings.model_validate(dict(app.config))
    except ValidationError as invalid:
        first = invalid.errors(include_input=False, include_url=False)[0]
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"The setting {first['loc'][0]} cannot be used: {reason}.") from None
    app.config.update(checked.model_dump())
