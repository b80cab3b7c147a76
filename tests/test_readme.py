"""What the README says can be done is done here, command by command."""

import configparser
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from portal.cli.serve import serve
from portal.config import DEFAULTS, SECRETS
from portal.settings import Settings
from tests.support.application import ordinary_settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PORTAL_STARTS = """
start() {
    SERVING & portal=$!
    until curl -s -o /dev/null http://127.0.0.1:5000/login; do kill -0 $portal; sleep 0.1; done
}
stop() { kill $portal; wait $portal || true; }
trap stop EXIT
"""
# Run by CI itself, and by tests/browser/test_demo.py.
MAKE = ["make demo", "make test"]  # and so make demo-order


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def commands(tmp_path):
    """All commands of the README as one script, in a world of its own. The portal stops where it
    says so, before a restore, and is started again after."""
    (serving,) = re.findall(r"^keydesk serve .*$", README, re.MULTILINE)
    said = [block for block in blocks("sh") if not block.startswith(tuple(MAKE))]
    said = [f"stop\n{block}start\n" if block.startswith("rm ") else block for block in said]
    commands = PORTAL_STARTS + "".join(said).replace(serving, "start")
    commands = commands.replace("curl ", "curl --fail-with-body -sS ")
    commands = commands.replace("SERVING", serving).replace("password.txt", "$HERE/password.txt")
    port = free_port()
    commands = re.sub(r"(:|--port )5000\b", rf"\g<1>{port}", commands)
    (tmp_path / "password.txt").write_text(secrets.token_urlsafe())
    (tmp_path / "backup").mkdir()
    (tmp_path / "safe").mkdir()
    return commands.replace("/var/lib/keydesk", "$HERE/keydesk")


def test_the_commands_do_what_they_say(commands, tmp_path, mailbox):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
    environment = kept | {
        "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
        "FLASK_MAIL_PORT": str(mailbox.port),
        "HERE": str(tmp_path),
        "BACKUP": str(tmp_path / "backup"),
        "SAFE": str(tmp_path / "safe"),
    }
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "60 imported, 0 updated, 0 unchanged, 0 rejected" in run.stdout
    assert '"status":"sent"' in run.stdout.replace(" ", "")
    assert len(mailbox.messages) == 1
    assert "0 are unreadable" in run.stdout


def test_the_service_starts_what_there_is():
    (unit,) = blocks("ini")
    service = configparser.ConfigParser(strict=False, interpolation=None)
    service.optionxform = str
    service.read_string(unit)
    program, command, *arguments = service["Service"]["ExecStart"].split()
    assert program.endswith("/.venv/bin/keydesk")
    assert service["Service"]["UMask"] == "0077"
    folder = "/var/lib/" + service["Service"]["StateDirectory"]
    assert service["Service"]["Environment"] == f"KEYDESK_INSTANCE={folder}"
    assert serve.make_context(command, arguments).params["port"] == 5000


def test_the_settings_in_the_examples_are_good_ones():
    for block in blocks("toml"):
        Settings.model_validate(DEFAULTS | ordinary_settings() | tomllib.loads(block))


def test_the_table_has_every_setting_with_its_default():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", README, re.MULTILINE)
    assert [name for name, _default in rows] == [*SECRETS, *DEFAULTS]
    for name, default in rows[len(SECRETS) :]:
        known = {"": "`keydesk.db` in the instance folder", None: "none"}
        assert default == known.get(DEFAULTS[name], f"`{DEFAULTS[name]}`"), name


def test_every_file_that_it_names_is_there():
    named = re.findall(r"\]\(([^)#]+)\)", README)
    named += re.findall(r"^    ((?:portal|templates|static|tests|bench)/\S*)", README, re.MULTILINE)
    for path in named:
        assert (ROOT / path.rstrip(",")).exists(), path


def test_the_next_migration_is_written_by_the_command_that_it_names(keydesk, tmp_path):
    command = re.search(r"`flask (--app wsgi db migrate -m) …`", README)[1].split()
    copy = shutil.copytree(ROOT / "portal" / "migrations", tmp_path / "migrations")
    before = {*copy.glob("versions/*.py")}
    run = subprocess.run(
        [sys.executable, "-m", "flask", *command, "Nothing", "--directory", copy],
        check=False, cwd=ROOT, env=keydesk.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    (written,) = {*copy.glob("versions/*.py")} - before
    assert written.name.endswith("_nothing.py")
