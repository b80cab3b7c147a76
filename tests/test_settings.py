"""Settings: where they come from, and one clear line for each that cannot be used."""

import pytest

from portal import create_app
from portal.config import SettingsError
from tests.support.application import ordinary_settings


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start with settings of the environment, the instance file and given ones; the config."""
    monkeypatch.setenv("KEYDESK_INSTANCE", str(tmp_path))

    def start(environment=None, file="", **given):
        (tmp_path / "keydesk.toml").write_text(file)
        for name, value in (environment or {}).items():
            monkeypatch.setenv(f"FLASK_{name}", value)
        return create_app(ordinary_settings() | given).config

    return start


def test_the_environment_outweighs_the_file_and_the_file_the_defaults(start):
    assert start()["PORTAL_NAME"] == "Keydesk"
    assert start(file='PORTAL_NAME = "File"')["PORTAL_NAME"] == "File"
    config = start({"PORTAL_NAME": "Environment"}, file='PORTAL_NAME = "File"')
    assert config["PORTAL_NAME"] == "Environment"
    assert start(PORTAL_NAME="Given")["PORTAL_NAME"] == "Given"


@pytest.mark.parametrize("text", ["12345", "1e5", "true", "0123", "null", '"quoted"', "[1]"])
def test_text_of_the_environment_stays_as_it_is(start, text):
    assert start({"MAIL_PASSWORD": text})["MAIL_PASSWORD"] == text


def test_other_settings_of_the_environment_have_their_type(start):
    config = start({"SESSION_HOURS": "2.5", "TRUSTED_PROXIES": "1", "DEMO": "false"})
    assert (config["SESSION_HOURS"], config["TRUSTED_PROXIES"], config["DEMO"]) == (2.5, 1, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
        ("SECRET_KEY", "abababababababababababababababababab"),
        ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
        ("SECRET_KEY", "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf"),
        ("SECURITY_PASSWORD_SALT", "146585145368132386173505678016728509634"),
        ("SECURITY_PASSWORD_SALT", "short"),
        ("VAULT_KEYS", []),
        ("VAULT_KEYS", ["no key"]),
        ("VAULT_DIGEST_KEY", "A" * 43 + "="),
        ("SQLALCHEMY_DATABASE_URI", "mysql://user:hidden-word@host/db"),
        ("BABEL_DEFAULT_TIMEZONE", "Mars/Base"),
        ("BABEL_DEFAULT_TIMEZONE", "America"),
        ("BABEL_DEFAULT_TIMEZONE", "zone.tab"),
        ("BABEL_DEFAULT_TIMEZONE", "../Europe/Berlin"),
        ("BABEL_DEFAULT_LOCALE", "klingon"),
        ("PORTAL_URL", "portal.example.com"),
        ("MAIL_PORT", 0),
        ("MAIL_PASSWORD", 12345),
        ("MAIL_PASSWORD", "hidden-wörd"),
        ("MAIL_DEFAULT_SENDER", "Acme, Inc. <keys@acme.example>"),
        ("MESSAGE_MIB_PER_DAY", 0),
        ("LOGIN_LIMIT_ADDRESS", "many"),
        ("LOGIN_LIMIT_ACCOUNT", "0 per minute"),
        ("API_LIMIT", ""),
        ("SESSION_HOURS", 13),
        ("SESSION_COOKIE_SECURE", "maybe"),
    ],
)
def test_a_bad_setting_is_named_in_one_line_that_gives_nothing_away(start, name, value):
    with pytest.raises(SettingsError) as refused:
        start(**{name: value})
    line = str(refused.value)
    assert name in line
    assert "\n" not in line
    assert "hidden-word" not in line
    assert "change-me" not in line


def test_a_broken_instance_file_is_named(start, tmp_path):
    with pytest.raises(SettingsError, match=r"keydesk\.toml"):
        start(file="PORTAL_NAME = ")


@pytest.mark.parametrize("name", ["SECURITY_REGISTERABLE", "SECURITY_UNIFIED_SIGNIN"])
def test_no_setting_opens_another_way_in(start, name):
    assert start({name: "true"})[name] is False


@pytest.mark.parametrize("name", ["MAIL_SERVR", "portal_name", "PORTAL_NAMES", "RATELIMIT_DEFAULT"])
def test_a_misspelt_setting_of_the_file_is_named(start, name):
    with pytest.raises(SettingsError, match=f"there is no setting '{name}'"):
        start(file=f'{name} = "x"')


@pytest.mark.parametrize("name", ["MAIL_SERVER", "SECURITY_PASSWORD_BREACHED_COUNT"])
def test_a_setting_of_an_extension_may_be_in_the_file(start, name):
    assert start(file=f"{name} = 'x'")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "change-me-hidden-word"),
        ("SQLALCHEMY_DATABASE_URI", "postgresql+psycopg://user:hidden-word@host:port/name"),
        ("SQLALCHEMY_DATABASE_URI", "hidden-word"),
        ("SQLITE_BUSY_TIMEOUT", "long"),
        ("SESSION_HOURS", "0"),
        ("DEMO", "tests"),
        ("VAULT_KEYS", "hidden-word"),
    ],
)
def test_a_bad_setting_is_one_line_of_the_command_line(keydesk, name, value):
    run = keydesk.run("pages", "list", **{f"FLASK_{name}": value})
    assert run.returncode in (1, 2)
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert name in run.stderr
    assert "hidden-word" not in run.stderr


@pytest.mark.parametrize("content", [b"PORTAL_NAME =", b"\xff", b'NOTHING = "x"', None])
def test_a_bad_instance_file_is_one_line_of_the_command_line(bare_keydesk, tmp_path, content):
    file = tmp_path / "instance" / "keydesk.toml"
    file.parent.mkdir()
    file.mkdir() if content is None else file.write_bytes(content)
    run = bare_keydesk.run("pages", "list")
    assert run.returncode in (1, 2)
    assert len(run.stderr.splitlines()) == 1
    assert str(file) in run.stderr
