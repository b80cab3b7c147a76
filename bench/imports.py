"""Where the time of an import goes: a look at what it is doing, a thousand times a second."""

import sys
import threading
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
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
    main = threading.get_ident()
    with TemporaryDirectory() as folder, Installation(Path(folder), "", 0).without_orders():
        looks: Counter[str] = Counter()
        over = threading.Event()
        observer = threading.Thread(target=_observe, args=(main, looks, over))
        with file.open("rb") as lines:
            observer.start()
            complaints = list(Import().run(lines))
        over.set()
        observer.join()
    if complaints:
        raise RuntimeError(f"an order of the benchmark is not in order: {complaints[0]}")
    return {part: number / looks.total() for part, number in looks.most_common()}


def _observe(thread: int, looks: Counter[str], over: threading.Event) -> None:
    while not over.wait(LOOK_SECONDS):
        looks[_part_of(sys._current_frames()[thread])] += 1


def _part_of(frame: FrameType | None) -> str:
    while frame is not None:
        place = f"{frame.f_code.co_filename}:{frame.f_code.co_name}"
        for sign, part in PARTS.items():
            if sign in place:
                return part
        frame = frame.f_back
    return "the rest"
