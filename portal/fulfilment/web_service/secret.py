"""The secret that the vendor and Keydesk share, in the form that Standard Webhooks describes."""

import binascii
import secrets
from base64 import b64decode, b64encode

from flask_babel import gettext as _
from pydantic import SecretStr

PREFIX = "whsec_"
FEWEST_BYTES, MOST_BYTES = 24, 64


def new_secret() -> str:
    """A secret that nobody knows yet."""
    return PREFIX + b64encode(secrets.token_bytes(32)).decode()


def known_secret(secret: SecretStr) -> SecretStr:
    """`secret`, if it has the form of one. Raises ValueError."""
    text = secret.get_secret_value()
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):  # the latter for what is not ASCII
        key = b""
    if not text.startswith(PREFIX) or not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(_("The secret must be whsec_ and then 24 to 64 bytes in Base64."))
    return secret
