"""Where the time of an import goes: a look at what it is doing, a thousand times a second."""

import signal
from collections import Counter
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import FrameType

from bench.installation import Installation
from portal.intake.jsonl import Import

LOOK_SECONDS = 0.001

# The innermost of these that is under way says what the time is for.
PARTS = {
    "sqlalchemy/engine/default.py:do_": "the database itself",
    "/psycopg/": "the database itself",
    "/email_validator/": "checking e-mail addresses",
    "/pydantic/": "reading documents",
    "/intake/document.py": "reading documents",
    "/portal/vault.py": "sealing and digests of licenses",
    "/sqlalchemy/": "SQLAlchemy",
    "/portal/": "making rows",
}


def where_time_goes(file: Path) -> dict[str, float]:
    """The share of each part in an import of `file` into an empty SQLite database."""
    looks: Counter[str] = Counter()
    # A signal finds the import wherever it is; another thread would only get to look while the
    # database has let go of Python's lock, and would find the database too often.
    signal.signal(signal.SIGALRM, lambda _number, frame: looks.update([_part_of(frame)]))
    portal = Installation(Path(mkdtemp()), "", 0)
    with portal.without_orders(), file.open("rb") as lines:
        signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
        complaints = list(Import().run(lines))
        signal.setitimer(signal.ITIMER_REAL, 0)
    rmtree(portal.folder)
    if complaints:
        raise RuntimeError(f"an order of the benchmark is not in order: {complaints[0]}")
    return {part: number / looks.total() for part, number in looks.most_common()}


def _part_of(frame: FrameType | None) -> str:
    while frame is not None:
        place = f"{frame.f_code.co_filename}:{frame.f_code.co_name}"
        for sign, part in PARTS.items():
            if sign in place:
                return part
        frame = frame.f_back
    return "the rest"
