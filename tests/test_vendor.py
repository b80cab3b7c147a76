"""Third-party files lie here exactly as their authors published them."""

from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("folder", ["static/vendor", "tests/vendor"])
def test_every_vendored_file_is_the_published_one_and_there_is_no_other(folder):
    lines = (ROOT / folder / "SHA256SUMS").read_text().splitlines()
    published = {name: digest for digest, name in (line.split() for line in lines)}

    found = {
        path.name: sha256(path.read_bytes()).hexdigest()
        for path in (ROOT / folder).iterdir()
        if path.name != "SHA256SUMS"
    }

    assert found == published
