"""keydesk staff: giving people access, and taking it away."""

import socket

import pytest

from portal.cli import cli
from portal.extensions import db
from portal.models import Role, Staff


@pytest.fixture
def command(app):
    """Run a command as a shell would: `command("staff", "list")`; click's Result."""

    def run(*arguments, typed=None):
        result = app.test_cli_runner().invoke(cli, arguments, input=typed)
        db.session.expire_all()
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def test_a_token_is_printed_once_and_only_its_digest_is_kept(command, rob):
    token = command("staff", "token", "rob@example.com").stdout.strip()

    assert Staff.by_token(token) is rob
    row = db.session.execute(db.select(Staff.__table__)).mappings().one()
    assert not any(token in str(value) for value in row.values())


def test_a_new_token_replaces_the_former(command, rob):
    first, second = (command("staff", "token", rob.email).stdout.strip() for _ in range(2))
    assert first != second
    assert Staff.by_token(first) is None
    assert Staff.by_token(second) is rob


def test_a_token_ends_with_the_access(command, rob):
    token = command("staff", "token", rob.email).stdout.strip()
    command("staff", "remove", rob.email)
    assert Staff.by_token(token) is None
    command("staff", "add", rob.email, "--role", "operator", "--password-stdin", typed="x" * 10)
    assert Staff.by_token(token) is None


@pytest.mark.parametrize("email", ["nobody@example.com", "", "not an address"])
def test_only_somebody_with_access_gets_a_token(command, email):
    result = command("staff", "token", email)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"Error: Nobody with the address {email} has access.\n"


def test_nobody_has_no_token(app, ada):
    assert ada.role is Role.OPERATOR
    assert Staff.by_token("") is None


def test_an_invitation_leads_to_a_password_and_in(keydesk, stranger, acme, mailbox):
    db.session.commit()
    run = keydesk.run("staff", "add", "New@Example.com", "--role", "agent", "--page", "acme")
    assert (run.returncode, run.stderr) == (0, "")
    (mail,) = mailbox.wait_for(1)
    assert mail["To"] == "new@example.com"
    link = next(word for word in mail.plain.split() if "/password/reset/" in word)
    page = stranger.open("/" + link.split("/", 3)[3])
    page = page.fill("New password", "x" * 10).fill("New password again", "x" * 10)
    assert page.press("Save the password").address == "/login"
    assert stranger.sign_in("new@example.com", "x" * 10).address == "/orders"
    listed = keydesk.run("staff", "list").stdout
    assert listed == "new@example.com\tagent\tacme\n"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_invitation_that_was_not_mailed_is_told(keydesk, app):
    with socket.socket() as nobody:  # it holds the port, and does not listen
        nobody.bind(("127.0.0.1", 0))
        port = str(nobody.getsockname()[1])
        run = keydesk.run("staff", "add", "a@b.de", "--role", "operator", FLASK_MAIL_PORT=port)
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1
    assert "could not be mailed" in run.stderr
    assert Staff.by_email("a@b.de").active


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_invitation_that_may_have_been_mailed_is_not_said_to_have_failed(keydesk, mail_server):
    port = str(mail_server(at="BODY", does="drop").port)
    run = keydesk.run("staff", "add", "a@b.de", "--role", "operator", FLASK_MAIL_PORT=port)
    assert run.returncode == 1
    assert "the link may or may not have been mailed." in run.stderr


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (("no address", "--role", "operator"), b""),
        (("a@b.de",), b""),
        (("a@b.de", "--role", "king"), b""),
        (("a@b.de", "--role", "agent"), b""),
        (("a@b.de", "--role", "agent", "--page", "nowhere"), b""),
        (("a@b.de", "--role", "operator", "--page", "acme"), b""),
        (("a@b.de", "--role", "operator", "--password-stdin"), b""),
        (("a@b.de", "--role", "operator", "--password-stdin"), b"short\n"),
        (("a@b.de", "--role", "operator", "--password-stdin"), b"\xff" * 12),
    ],
)
def test_bad_input_adds_nobody(keydesk, acme, arguments, typed):
    run = keydesk.run("staff", "add", *arguments, stdin=typed)
    assert run.returncode in (1, 2)
    assert len(run.stderr.splitlines()) == 1, run.stderr
    assert db.session.scalars(db.select(Staff)).unique().all() == []


def test_a_password_of_any_script_opens(keydesk, stranger):
    typed = "Größe mit Äther".encode()
    run = keydesk.run("staff", "add", "a@b.de", "--role", "operator", "--password-stdin",
                      stdin=typed, LC_ALL="C.UTF-8")  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert stranger.sign_in("a@b.de", "Größe mit Äther").address == "/orders"


def test_a_person_gets_another_role_and_keeps_the_password(command, signed_in, rob, nordsoft):
    browser = signed_in(rob)
    command("staff", "add", rob.email, "--role", "agent", "--page", "nordsoft")
    assert rob.checkout_pages == [nordsoft]
    command("staff", "add", rob.email, "--role", "operator")
    assert rob.role is Role.OPERATOR
    assert browser.open("/orders").address == "/orders"


def test_whoever_was_removed_is_out_at_once(command, signed_in, rob):
    browser = signed_in(rob)
    command("staff", "remove", "ROB@example.com")
    assert browser.open("/orders").address.startswith("/login")
    assert browser.sign_in(rob.email).address.startswith("/login")


def test_two_mailboxes_are_two_people(command):
    for email in ("straße@example.com", "strasse@example.com", "ÄRZTE@example.com"):
        command("staff", "add", email, "--role", "operator", "--password-stdin", typed="x" * 10)
    emails = {person.email for person in db.session.scalars(db.select(Staff)).unique()}
    assert emails == {"straße@example.com", "strasse@example.com", "ärzte@example.com"}


def test_an_address_in_capitals_of_any_script_signs_in(command, stranger):
    command("staff", "add", "ärzte@b.de", "--role", "operator", "--password-stdin", typed="x" * 10)
    assert stranger.sign_in("ÄRZTE@b.de", "x" * 10).address == "/orders"
