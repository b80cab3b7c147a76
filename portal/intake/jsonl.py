"""Orders from a file: one order document a line."""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from portal.extensions import db
from portal.intake.ahead import ReadAhead, read_lines
from portal.intake.complaints import DocumentError
from portal.intake.lines import BATCH, BATCH_BYTES
from portal.intake.update import Outcome
from portal.intake.upsert import Incoming, upsert

Complaint = tuple[int, str]
Written = list[tuple[int, Outcome | DocumentError]]


@dataclass
class Import:
    """One run: counts what came in, and yields what was wrong as it goes, in the order of lines.

    Each batch is committed by itself. A run that was broken off is simply run again: what is in
    already is then unchanged.
    """

    counts: Counter[str] = field(default_factory=Counter)
    read_ahead: int = 0  # orders that another process has read
    _brings_new: bool = False

    def run(self, lines: Iterable[bytes]) -> Iterator[Complaint]:
        """Bring the orders of `lines` in; yields the number of each bad line and its complaint."""
        batch = _Batch()
        for number, (line, read) in enumerate(read_lines(lines, lambda: self._brings_new), 1):
            if read is None:
                continue
            self.read_ahead += isinstance(read, ReadAhead)
            if not batch.has_room_for(read, len(line)):
                yield from self._count(batch.write())
                batch = _Batch()
                # Orders go in circles with their items, and Python sees late that nobody has them:
                # it counts things, and knows nothing of how long the licenses are.
                gc.collect()
            batch.add(number, read, len(line))
        yield from self._count(batch.write())

    def _count(self, outcomes: Written) -> Iterator[Complaint]:
        self._brings_new = any(outcome is Outcome.IMPORTED for _number, outcome in outcomes)
        for number, outcome in outcomes:
            if isinstance(outcome, DocumentError):
                self.counts["rejected"] += 1
                yield number, str(outcome)
            else:
                self.counts[outcome] += 1


class _Batch:
    """What is written in one transaction: some lines, each of another order or not usable."""

    def __init__(self) -> None:
        self._lines: dict[int, Incoming | DocumentError] = {}
        self._orders: set[int] = set()
        self._bytes = 0

    def has_room_for(self, read: Incoming | DocumentError, size: int) -> bool:
        known = not isinstance(read, DocumentError) and read.order_id in self._orders
        full = len(self._lines) == BATCH or self._bytes + size > BATCH_BYTES
        return not known and not (full and self._lines)

    def add(self, number: int, read: Incoming | DocumentError, size: int) -> None:
        self._lines[number] = read
        self._bytes += size
        if not isinstance(read, DocumentError):
            self._orders.add(read.order_id)

    def write(self) -> Written:
        """Write the orders down; what became of each line."""
        documents = [read for read in self._lines.values() if not isinstance(read, DocumentError)]
        written = iter(upsert(documents) if documents else [])
        db.session.commit()
        db.session.expunge_all()
        return [
            (number, read if isinstance(read, DocumentError) else next(written))
            for number, read in self._lines.items()
        ]
