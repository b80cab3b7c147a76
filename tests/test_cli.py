"""The console script: what it prints, how it ends, and that bad input leaves nothing half done."""

import json
import os
import pty
import socket

import pytest

from portal.cli import cli
from portal.extensions import db
from portal.models import CheckoutPage
from tests.people import order_document


def commands(group=cli, path=()):
    """`group` and all that is below it, as they are typed."""
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


COMMANDS = sorted(commands())

once = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_has_help_without_any_settings(bare_keydesk, command):
    run = bare_keydesk.run(*command, "--help")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"Usage: keydesk {' '.join(command)}".rstrip())
    assert len(run.stdout.splitlines()) > 4


@once
@pytest.mark.parametrize(
    ("command", "code", "complaint"),
    [
        (("frobnicate",), 2, "No such command 'frobnicate'."),
        (("orders", "import"), 2, "Missing argument 'FILE'."),
        (("orders", "import", "no-file"), 2,
         "Invalid value for 'FILE': 'no-file': No such file or directory"),
        (("orders", "import", "/"), 2, "Invalid value for 'FILE': '/': Is a directory"),
        (("orders", "show", "A1"), 1, "There is no order A1."),
        (("orders", "show", "x"), 1, "There is no order x."),
        (("pages", "add", "Acme", "--title", "T"), 2,
         "CODE: Use small letters, digits and hyphens, 63 at most."),
        (("pages", "add", "acme", "--title", " "), 2,
         "--title: This has to be filled in."),
        (("pages", "set", "acme"), 1, "There is no checkout page acme."),
        (("pages", "add", "acme"), 2, "Missing option '--title'."),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_on_standard_error(keydesk, app, command, code, complaint):
    run = keydesk.run(*command)
    assert (run.returncode, run.stdout, run.stderr) == (code, "", f"Error: {complaint}\n")
    assert db.session.scalar(db.select(CheckoutPage.id)) is None


def test_without_settings_there_is_one_line_that_says_what_to_do(bare_keydesk):
    run = bare_keydesk.run("pages", "list")
    assert run.returncode in (1, 2)
    assert run.stderr == (
        "Error: No SECRET_KEY is set. Run 'keydesk init' to write an instance file with fresh "
        "secrets, or set FLASK_SECRET_KEY.\n"
    )


def test_without_tables_there_is_one_line_that_says_what_to_do(keydesk, empty_database):
    run = keydesk.run("pages", "list", FLASK_SQLALCHEMY_DATABASE_URI=empty_database.uri)
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.endswith("(has 'keydesk db upgrade' been run?)\n")


@once
def test_without_a_database_there_is_one_line_that_says_what_to_do(keydesk):
    uri = "postgresql+psycopg://nobody@127.0.0.1:1/nowhere"
    run = keydesk.run("pages", "list", FLASK_SQLALCHEMY_DATABASE_URI=uri)
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.endswith("(see SQLALCHEMY_DATABASE_URI)\n")


@once
def test_checkout_pages_are_added_changed_and_listed(keydesk, app):
    assert keydesk.run("pages", "add", "acme", "--title", "Acme", "--no-delivery").returncode == 0
    again = keydesk.run("pages", "add", "acme", "--title", "Other")
    assert again.stderr == "Error: There is a checkout page acme already.\n"
    nothing = keydesk.run("pages", "set", "acme")
    assert nothing.returncode == 2
    keydesk.run("pages", "set", "acme", "--title", "Acme Store", "--delivery")
    assert keydesk.run("pages", "list").stdout.startswith("acme\tAcme Store\tdelivery allowed")


def test_an_order_is_shown_without_its_licenses(keydesk, order):
    db.session.commit()
    run = keydesk.run("orders", "show", "5555555")
    shown = json.loads(run.stdout)
    assert shown["number"] == "A0005555555"
    assert shown["customer"]["email"] == "kim@example.com"
    assert shown["items"][0]["licenses"][0]["refused"] is None
    assert "AV7K2" not in run.stdout


@once
def test_a_terminal_sees_a_bar_and_the_complaints_and_nobody_else_does(keydesk, acme, tmp_path):
    file = tmp_path / "orders.jsonl"
    file.write_text(json.dumps(order_document()) + "\nx\n")
    db.session.commit()
    assert "Importing" not in keydesk.run("orders", "import", file).stderr

    ours, theirs = pty.openpty()
    process = keydesk.start("orders", "import", file, stderr=theirs, TERM="xterm", COLUMNS="200")
    os.close(theirs)
    stdout, _ = process.communicate(timeout=60)
    seen = os.read(ours, 65536).decode()
    os.close(ours)
    assert "Importing" in seen
    assert f"{file}:2: line: is not JSON" in seen
    assert stdout == b"0 imported, 0 updated, 1 unchanged, 1 rejected\n"


@once
@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("pages add x\udcff --title T", "Use small letters, digits and hyphens"),
        ("pages set x\udcff --no-delivery", "There is no checkout page x\\udcff."),
        ("staff remove x\udcff", "'\\udcff' cannot be written in utf-8."),
        ("products show --page x\udcff --product 1", "There is no checkout page x\\udcff."),
    ],
)
def test_bytes_that_are_no_text_are_one_line_on_standard_error(keydesk, app, command, error):
    run = keydesk.run(*command.split())
    assert run.returncode in (1, 2)
    assert run.stdout == ""
    assert error in run.stderr.splitlines()[-1]


def test_a_demo_whose_port_is_taken_leaves_everything_as_it_was(bare_keydesk):
    folder = bare_keydesk.folder / "instance" / "demo"
    folder.mkdir(parents=True)
    (folder / "keydesk.db").write_text("of a demo that is running")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = bare_keydesk.run("demo", "--reset", "--port", port)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        f"Error: The port {port} of 127.0.0.1 is taken; "
        "choose another with PORT=8000 make demo, or --port.\n"
    )
    assert [path.name for path in folder.iterdir()] == ["keydesk.db"]
