"""python -m bench.imports: how quickly orders come in, and what that takes."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp
from types import FrameType

from bench import report
from bench.installation import POSTGRESQL_SETTINGS, Installation, import_file
from portal.intake.ahead import FEW, look_for_rubbish_rarely
from portal.intake.jsonl import Import
from portal.intake.lines import BATCH
from tests.support.postgres import Cluster

LOOK_SECONDS = 0.001

# The innermost of these that is under way says what the time is for.
PARTS = {
    "sqlalchemy/engine/default.py:do_": "the database itself",
    "/psycopg/": "the database itself",
    "/email_validator/": "checking e-mail addresses",
    "/pydantic/": "reading documents",
    "/intake/document.py": "reading documents",
    "/intake/values.py": "reading documents",
    "/intake/jsonl.py": "reading lines",
    "/intake/lines.py": "reading lines",
    "/intake/ahead.py": "reading lines",
    "/portal/vault.py": "sealing and digests of licenses",
    "/database/tables.py": "values for the database",
    "sqlalchemy/sql/type_api.py": "values for the database",
    "sqlalchemy/dialects/sqlite/base.py": "values for the database",
    "/sqlalchemy/": "SQLAlchemy",
    "/portal/": "making rows",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("--orders", type=int, nargs="+", default=[20_000, 200_000])
    options = parser.parse_args()
    print(report.machine())
    print("\n| database | orders | import | orders a second | processor, an order | memory |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # PostgreSQL, which is another user, has its files in here
        for line in _runs(Path(folder), options.orders):
            print(line, flush=True)
        file = import_file(Path(folder), options.orders[0])
        parts = where_time_goes(file)
    print(f"\nOn SQLite: {', '.join(f'{part} {share:.0%}' for part, share in parts.items())}.")


def _runs(folder: Path, counts: list[int]) -> Iterator[str]:
    """A line for each import of so many orders, into an empty database and once more."""
    (folder / "postgresql").mkdir()
    cluster = Cluster.start(folder / "postgresql", POSTGRESQL_SETTINGS)
    try:
        for count in counts:
            file = import_file(folder, count)
            cluster.create(f"orders_{count}")
            for kind, uri in (("SQLite", ""), ("PostgreSQL", cluster.uri(f"orders_{count}"))):
                portal = Installation(folder / f"{kind}-{count}", uri, count)
                with portal.without_orders():
                    pass
                for which in ("new", "unchanged"):
                    yield f"| {kind} | {count:,} | {which} | {_import(portal, file)} |"
                rmtree(portal.folder)
    finally:
        cluster.close()
        cluster.stop("fast")


def _import(portal: Installation, file: Path) -> str:
    """What the command took, its start included: speed, time of its own on a processor, memory.

    On SQLite up to 256 MiB of the memory are the database's file, which is mapped.
    """
    command = [sys.executable, "-m", "portal", "orders", "import", str(file)]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=portal.environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the import of {file} ended with {process.returncode}")
    each = (used.ru_utime + used.ru_stime) / portal.orders * 1e6
    return f"{portal.orders / seconds:,.0f} | {each:.0f} µs | {used.ru_maxrss / 1024:.0f} MiB"


def where_time_goes(file: Path) -> dict[str, float]:
    """The share of each part in an import of `file` into an empty SQLite database."""
    clock = _PartClock()
    # A signal finds the import wherever it is; another thread would only get to look while the
    # database has let go of Python's lock, and would find the database too often.
    signal.signal(signal.SIGALRM, lambda _number, frame: clock.look(frame))
    portal = Installation(Path(mkdtemp()), "", 0)
    with portal.without_orders(), file.open("rb") as lines:
        look_for_rubbish_rarely()
        clock.start()
        signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
        complaints = list(chain.from_iterable(Import().run(few) for few in _few_at_a_time(lines)))
        signal.setitimer(signal.ITIMER_REAL, 0)
    rmtree(portal.folder)
    if complaints:
        raise RuntimeError(f"an order of the benchmark is not in order: {complaints[0]}")
    total = sum(clock.seconds.values())
    return {part: seconds / total for part, seconds in clock.seconds.most_common()}


def _few_at_a_time(lines: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    """So few that one process does all of it, and the clock sees it."""
    rest = iter(lines)
    while few := tuple(islice(rest, FEW * BATCH)):
        yield few


class _PartClock:
    """Looks at what is under way, and puts the processor's time since the last look down to it.

    Python lets a signal in only when a call of the database has returned, but then it is still
    there to be seen.
    """

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._last = 0.0

    def start(self) -> None:
        self._last = time.process_time()

    def look(self, frame: FrameType | None) -> None:
        now = time.process_time()
        self.seconds[_part_of(frame)] += now - self._last
        self._last = now


def _part_of(frame: FrameType | None) -> str:
    while frame is not None:
        place = f"{frame.f_code.co_filename}:{frame.f_code.co_name}"
        for sign, part in PARTS.items():
            if sign in place:
                return part
        frame = frame.f_back
    return "the rest"


if __name__ == "__main__":
    main()
