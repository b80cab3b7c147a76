"""`keydesk init` writes an instance file with fresh secrets, for its owner alone, and once."""

import stat
import tomllib
from pathlib import Path

from portal.config import INSTANCE_FILE, SECRETS
from tests.support.running_portal import wait_until


def file_of(bare_keydesk):
    return Path(bare_keydesk.environment["KEYDESK_INSTANCE"]) / INSTANCE_FILE


def test_the_file_has_fresh_secrets_and_its_owner_alone_reads_it(bare_keydesk):
    run = bare_keydesk.run("init")
    assert run.stdout == f"Wrote {file_of(bare_keydesk)}. Next: keydesk db upgrade\n"
    assert run.returncode == 0
    assert stat.S_IMODE(file_of(bare_keydesk).stat().st_mode) == 0o600
    assert stat.S_IMODE(file_of(bare_keydesk).parent.stat().st_mode) == 0o700
    settings = tomllib.loads(file_of(bare_keydesk).read_text())
    assert set(settings) == set(SECRETS)
    assert len({str(value) for value in settings.values()}) == len(SECRETS)


def test_what_a_command_writes_is_for_its_owner_alone(bare_keydesk):
    folder = file_of(bare_keydesk).parent
    folder.mkdir(mode=0o755)
    bare_keydesk.run("init")
    for command in (("db", "upgrade"), ("pages", "add", "acme", "--title", "Acme")):
        assert bare_keydesk.run(*command).returncode == 0
    with bare_keydesk.start("worker", stderr=None) as worker:
        wait_until((folder / "keydesk.jobs.db").exists)
        worker.terminate()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {"keydesk.toml", "keydesk.db", "keydesk.jobs.db"} <= modes.keys()
    assert {mode & 0o077 for mode in modes.values()} == {0}


def test_the_second_time_leaves_the_file_as_it_is(bare_keydesk):
    bare_keydesk.run("init")
    before = file_of(bare_keydesk).read_text()
    run = bare_keydesk.run("init")
    assert run.returncode == 1
    assert run.stderr == f"Error: {file_of(bare_keydesk)} exists; it was left as it is.\n"
    assert file_of(bare_keydesk).read_text() == before


def test_a_folder_that_cannot_be_made_is_said_in_one_line(bare_keydesk, tmp_path):
    (tmp_path / "instance").write_text("a file")
    run = bare_keydesk.run("init")
    assert run.returncode == 1
    assert run.stderr == f"Error: {tmp_path / 'instance'}: File exists\n"


def test_from_an_empty_folder_to_a_checkout_page(bare_keydesk):
    bare_keydesk.run("init")
    assert bare_keydesk.run("db", "upgrade").returncode == 0
    assert bare_keydesk.run("pages", "add", "acme", "--title", "Acme").returncode == 0
    assert bare_keydesk.run("pages", "list").stdout.startswith("acme\tAcme\t")
