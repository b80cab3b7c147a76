"""The form of a secret that Keydesk shares with a sender or a vendor."""

from base64 import b64encode

import pytest

from portal.shared_secret import new_secret, sound_secret


def secret_of(size):
    return "whsec_" + b64encode(bytes(range(size))).decode()


def test_a_new_secret_is_a_good_one():
    assert new_secret() != new_secret()
    assert sound_secret(new_secret())


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_secret_has_24_to_64_bytes(size):
    assert sound_secret(secret_of(size)) == secret_of(size)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "guess me",
        "whsec_#",
        "whsec_" + "ä" * 40,
        "whsec_" + "%" * 40,
        secret_of(23),
        secret_of(65),
        secret_of(32) + "!",
        secret_of(32).removeprefix("whsec_"),
    ],
)
def test_anything_else_is_none_and_is_not_quoted(app, text):
    with pytest.raises(ValueError, match="must be whsec_") as error:
        sound_secret(text)
    assert text == "" or text not in str(error.value)
