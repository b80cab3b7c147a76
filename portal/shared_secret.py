"""The secret that whoever signs and whoever checks share: `whsec_` and then 24 to 64 bytes in
Base64, as Standard Webhooks has it."""

import secrets
from base64 import b64decode, b64encode

from flask_babel import gettext as _

PREFIX = "whsec_"
FEWEST_BYTES, MOST_BYTES = 24, 64


def new_secret() -> str:
    """A secret that nobody knows yet."""
    return PREFIX + b64encode(secrets.token_bytes(32)).decode()


def sound_secret(text: str) -> str:
    """`text`, if it has the form of a secret. Raises ValueError, which does not quote it."""
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:  # what is not Base64, or not even ASCII
        key = b""
    if not text.startswith(PREFIX) or not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(_("The secret must be whsec_ and then 24 to 64 bytes in Base64."))
    return text
