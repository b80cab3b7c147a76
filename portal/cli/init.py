"""keydesk init: an instance file with fresh secrets."""

import os
import secrets
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import click

from portal.config import INSTANCE_FILE, instance_folder
from portal.vault import KEY_BYTES

TEMPLATE = """\
# Settings of this Keydesk; every setting is explained in the README. The environment (FLASK_ before
# the name) outweighs this file. It holds the keys of all licenses: keep a copy apart from the
# database's, and let nobody read it.

SECRET_KEY = "{secret_key}"
SECURITY_PASSWORD_SALT = "{salt}"

# Newest first. To change the key, put a new one in front and run 'keydesk vault rotate'.
VAULT_KEYS = ["{vault_key}"]
VAULT_DIGEST_KEY = "{digest_key}"
"""


@click.command()
def init() -> None:
    """Write an instance file with fresh secrets.

    It goes into the instance folder: KEYDESK_INSTANCE, or instance/ where you are. An instance file
    that is there already is left alone.
    """
    path = write_instance_file(instance_folder())
    if path is None:
        raise click.ClickException(
            f"{instance_folder() / INSTANCE_FILE} exists; it was left as it is."
        )
    click.echo(f"Wrote {path}. Next: keydesk db upgrade")


def write_instance_file(folder: Path, settings: Mapping[str, str] | None = None) -> Path | None:
    """Write the file, readable by its owner alone, unless there is one; `settings` are further
    lines in TOML. Returns its path, or None when there was one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / INSTANCE_FILE
    text = TEMPLATE.format(
        secret_key=secrets.token_urlsafe(48),
        salt=secrets.token_urlsafe(32),
        vault_key=new_key(),
        digest_key=new_key(),
    )
    more = "".join(f"{name} = {value}\n" for name, value in (settings or {}).items())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return None
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text + (f"\n{more}" if more else ""))
    except OSError:  # half a file would look like one that is there already
        path.unlink()
        raise
    return path


def new_key() -> str:
    """A fresh key of the vault, in Base64."""
    return b64encode(secrets.token_bytes(KEY_BYTES)).decode()
