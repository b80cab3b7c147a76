"""A file may be of any length: an import takes no more memory for a long one than for a short."""

import json
import subprocess
import sys

import pytest

from portal.extensions import db
from tests.people import order_document

ORDERS = 150  # of a batch; they come again and again, because a database has memory of its own
CODES = [f"{number}-" + "A" * 9_000 for number in range(4)]

# The memory of a program is not less than that of the one that started it, so a small one does.
MEASURE = """
import resource, subprocess, sys
print(subprocess.run(sys.argv[1:], check=True, capture_output=True, text=True).stdout.strip())
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.fixture
def memory_of(keydesk, acme, tmp_path):
    """The most memory that an import of so many batches took, each of which changes all orders of
    the batch before; in a unit of the system's."""
    db.session.commit()

    def measure(batches):
        file = tmp_path / "orders.jsonl"
        with file.open("w") as lines:
            for batch in range(batches):
                for number in range(1, ORDERS + 1):
                    document = order_document(f"A{number}", codes=CODES, locale=f"en-{batch}")
                    lines.write(json.dumps(document) + "\n")
        command = [sys.executable, "-m", "portal", "orders", "import", str(file)]
        run = subprocess.run(
            [sys.executable, "-c", MEASURE, *command],
            env=keydesk.environment,
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        summary, memory = run.stdout.splitlines()
        return summary, int(memory)

    return measure


def test_an_import_of_many_batches_takes_no_more_memory_than_one_of_few(memory_of):
    few, less = memory_of(2)
    many, more = memory_of(12)
    assert few == f"{ORDERS} imported, {ORDERS} updated, 0 unchanged, 0 rejected"
    assert many == f"0 imported, {12 * ORDERS} updated, 0 unchanged, 0 rejected"
    assert more < 1.15 * less, (less, more)
