"""What each setting may be: what cannot be used is said at the start, not when it is used."""

from email.utils import parseaddr
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from limits import parse_many
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from portal.vault import read_key

SECRET_LENGTH = 32
# Words that stand in examples; whoever copies one has no secret.
EXAMPLES = ("change", "secret", "dev", "example", "keydesk", "password", "test", "xxx", "aaa")
# Those that the documentation of Flask and of Flask-Security shows.
PUBLISHED = ("192b9bdd22ab9ed4", "pf9wkove4ikeaxvy", "146585145368132386173505678016")


def _sound_secret(text: str) -> str:
    bare = text.casefold()
    steps = [ord(after) - ord(before) for before, after in pairwise(text)]
    is_typed = len(set(text)) < 8 or steps.count(1) > len(text) / 2  # 0123456789abcdef…
    if len(text) < SECRET_LENGTH or is_typed or bare.startswith(EXAMPLES + PUBLISHED):
        raise ValueError(f"is known or too short: {SECRET_LENGTH} random characters are needed")
    return text


def _sound_key(text: str) -> str:
    if len(set(read_key(text))) < 8:
        raise ValueError("is not random")
    return text


def _sound_uri(text: str) -> str:
    try:
        make_url(text)  # what it complains of may quote the password
    except (ArgumentError, ValueError):
        text = ""
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError(
            "is not an address such as sqlite:////folder/file or postgresql+psycopg://user@host/name"
        )
    return text


def _ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError("has characters beyond ASCII, with which nobody can sign in")
    return text


def _sound_sender(text: str) -> str:
    if not text.rstrip(">").endswith(parseaddr(text)[1] or " "):
        raise ValueError('is not an address such as "Acme, Inc." <keys@acme.example>')
    return text


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)  # asking for the names of all zones takes as long as half of the start
    except (LookupError, ValueError, OSError):  # OSError: it names a folder, such as America
        raise ValueError("is not a time zone such as Europe/Berlin") from None
    return name


def _known_locale(name: str) -> str:
    try:
        Locale.parse(name)
    except (ValueError, UnknownLocaleError):
        raise ValueError("is not a language such as en or pt_BR") from None
    return name


def _sound_limit(text: str) -> str:
    try:
        limits = parse_many(text)
    except ValueError:
        limits = []
    if not limits or any(limit.amount < 1 for limit in limits):
        raise ValueError("is not a limit such as '10 per 10 minutes'")
    return text


def _parts(text: object) -> object:
    """What stands between blanks or commas, in a variable of the environment for instance."""
    if text is None:
        return []
    return text.replace(",", " ").split() if isinstance(text, str) else text


# What smtplib can sign in with.
Sayable = Annotated[str, AfterValidator(_ascii)]
Limit = Annotated[str, AfterValidator(_sound_limit)]
Secret = Annotated[str, AfterValidator(_sound_secret)]
Key = Annotated[str, AfterValidator(_sound_key)]


class Settings(BaseModel):
    """The shape that the settings of ours must have."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    SECRET_KEY: Secret
    SECURITY_PASSWORD_SALT: Secret
    VAULT_KEYS: Annotated[list[Key], Field(min_length=1)]
    VAULT_DIGEST_KEY: Key
    SQLALCHEMY_DATABASE_URI: Annotated[str, AfterValidator(_sound_uri)]
    SQLITE_BUSY_TIMEOUT: Annotated[float, Field(gt=0, le=600)]
    RETRY_WAITS: Annotated[
        list[Annotated[float, Field(gt=0, le=86_400)]],
        Field(min_length=1),
        BeforeValidator(_parts),
    ]
    RETRY_HOURS: Annotated[float, Field(gt=0, le=720)]
    WORKER_THREADS: Annotated[int, Field(ge=1, le=64)]
    PORTAL_NAME: Annotated[str, Field(min_length=1)]
    BABEL_DEFAULT_LOCALE: Annotated[str, AfterValidator(_known_locale)]
    MAIL_USERNAME: Sayable | None
    MAIL_PASSWORD: Sayable | None
    BABEL_DEFAULT_TIMEZONE: Annotated[str, AfterValidator(_known_zone)]
    PORTAL_URL: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    PORTAL_HOSTS: Annotated[list[str], BeforeValidator(_parts)]
    MAIL_SERVER: Annotated[str, Field(min_length=1)]
    MAIL_PORT: Annotated[int, Field(ge=1, le=65535)]
    MAIL_USE_TLS: bool
    MAIL_USE_SSL: bool
    MAIL_DEFAULT_SENDER: Annotated[
        str,
        Field(pattern=r"^[^\r\n]*[^\s@<>]+@[^\s@<>]+>?$"),
        AfterValidator(_sound_sender),
    ]
    MAIL_TIME_LIMIT: Annotated[float, Field(ge=1, le=12)]
    TRUSTED_PROXIES: Annotated[int, Field(ge=0, le=9)]
    LOGIN_LIMIT_ADDRESS: Limit
    LOGIN_LIMIT_ACCOUNT: Limit
    API_LIMIT: Limit
    MESSAGE_MIB_PER_DAY: Annotated[int, Field(ge=1, le=1_000_000)]
    SESSION_HOURS: Annotated[float, Field(gt=0, le=12)]
    SESSION_COOKIE_SECURE: bool
    DEMO: bool
