"""License text at rest.

Each text is sealed with AES-256-GCM and bound to the place it was saved at: a sealed text that is
copied to another row does not open there. Beside it stand keyed digests (HMAC-SHA-256), so that an
order can be found by its license although nobody can read a license in the database.

A sealed text is `key id (4 bytes) | nonce (12) | ciphertext and tag (length of the text + 16)`.
AES-GCM rather than Fernet because an order page may open 2,000 licenses; `bench/vault.py` measures
both.
"""

import hashlib
import os
import re
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Mapping, Sequence
from itertools import product
from string import ascii_lowercase, digits
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from flask import Flask, current_app

from portal.normal_forms import normal

KEY_BYTES = 32
KEY_ID_BYTES = 4
NONCE_BYTES = 12  # NIST SP 800-38D, 8.2: 96 bits
DIGEST_BYTES = 16
TAIL_LENGTH = 6
HYPHENS = {1, 2}  # among the last six: three would be 46,656 digests to look for

_NOT_IN_DIGEST = re.compile(r"[\s\-\u2010-\u2015\u2212]+")


class Unreadable(Exception):
    """A sealed text that no known key opens at this place."""


class Vault:
    """Seals and opens license texts; `keys` newest first, each of 32 bytes."""

    def __init__(self, keys: Sequence[bytes], digest_key: bytes) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = _key_id(keys[0])
        self._digests = HMAC(digest_key, SHA256())  # copied for each: half the time of a new one

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Vault":
        """The vault with the keys in `settings`."""
        keys = [read_key(key) for key in settings["VAULT_KEYS"]]
        return cls(keys, read_key(settings["VAULT_DIGEST_KEY"]))

    def seal(self, text: str, place: str) -> bytes:
        """`text` sealed under the newest key for `place`, see `License.place`."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._ciphers[self._newest]
        return self._newest + nonce + cipher.encrypt(nonce, text.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """The text that was sealed for `place`. Raises Unreadable."""
        key_id, rest = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES:]
        nonce, ciphertext = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Unreadable(f"no key with the id {key_id.hex()} is configured")
        try:
            return cipher.decrypt(nonce, ciphertext, place.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise Unreadable("the sealed text is damaged or belongs elsewhere") from error

    def is_newest(self, sealed: bytes) -> bool:
        """Whether `sealed` is under the newest key."""
        return sealed.startswith(self._newest)

    def digest(self, text: str) -> bytes:
        """16 bytes that are equal for texts equal but for case, hyphens and blanks."""
        return self._hmac(b"whole:", _plain(text))

    def exact_digest(self, text: str) -> bytes:
        """16 bytes that are equal for texts equal to the letter."""
        return self._hmac(b"exact:", text)

    def tail_digest(self, text: str) -> bytes:
        """The same of the last six characters, which is what customers read out."""
        return self._hmac(b"tail:", _plain(text)[-TAIL_LENGTH:])

    def tail_digests(self, typed: str) -> list[bytes]:
        """The tail digests that a license may have whose last six characters are `typed`.

        Where one or two of the six are hyphens, as many letters or digits before them are part of
        the digest too.
        """
        missing = TAIL_LENGTH - len(_plain(typed))
        if missing == 0:
            return [self.tail_digest(typed)]
        if missing in HYPHENS and len(typed) == TAIL_LENGTH:
            before = product(ascii_lowercase + digits, repeat=missing)
            return [self.tail_digest("".join(signs) + typed) for signs in before]
        return []

    def _hmac(self, purpose: bytes, text: str) -> bytes:
        digest = self._digests.copy()
        digest.update(purpose + text.encode())
        return digest.finalize()[:DIGEST_BYTES]


def init_app(app: Flask) -> None:
    """Make the vault of the keys in the settings."""
    app.extensions["vault"] = Vault.of(app.config)


def vault() -> Vault:
    """The vault of the running application."""
    found: Vault = current_app.extensions["vault"]
    return found


def read_key(encoded: str) -> bytes:
    """A key from its Base64 form. Raises ValueError, without the key in the message."""
    try:
        key = b64decode(encoded, validate=True)
    except (BadBase64, ValueError):
        raise ValueError("is not Base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"has {len(key)} bytes where {KEY_BYTES} are needed")
    return key


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"keydesk key id:" + key).digest()[:KEY_ID_BYTES]


def _plain(text: str) -> str:
    return _NOT_IN_DIGEST.sub("", normal("NFKC", text)).casefold() or text
