"""keydesk staff: giving people access, and taking it away."""

import pytest

from portal.cli import cli
from portal.extensions import db
from portal.models import Role, Staff


@pytest.fixture
def keydesk(app):
    """Run a command as a shell would: `keydesk("staff", "list")`; click's Result."""

    def run(*arguments, typed=None):
        result = app.test_cli_runner().invoke(cli, arguments, input=typed)
        db.session.expire_all()
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def test_a_token_is_printed_once_and_only_its_digest_is_kept(keydesk, rob):
    token = keydesk("staff", "token", "rob@example.com").stdout.strip()

    assert Staff.by_token(token) is rob
    row = db.session.execute(db.select(Staff.__table__)).mappings().one()
    assert not any(token in str(value) for value in row.values())


def test_a_new_token_replaces_the_former(keydesk, rob):
    first, second = (keydesk("staff", "token", rob.email).stdout.strip() for _ in range(2))
    assert first != second
    assert Staff.by_token(first) is None
    assert Staff.by_token(second) is rob


def test_a_token_ends_with_the_access(keydesk, rob):
    token = keydesk("staff", "token", rob.email).stdout.strip()
    keydesk("staff", "remove", rob.email)
    assert Staff.by_token(token) is None
    keydesk("staff", "add", rob.email, "--role", "operator", "--password-stdin", typed="x" * 10)
    assert Staff.by_token(token) is None


@pytest.mark.parametrize("email", ["nobody@example.com", "", "not an address"])
def test_only_somebody_with_access_gets_a_token(keydesk, email):
    result = keydesk("staff", "token", email)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"Error: Nobody with the address {email} has access.\n"


def test_nobody_has_no_token(app, ada):
    assert ada.role is Role.OPERATOR
    assert Staff.by_token("") is None
