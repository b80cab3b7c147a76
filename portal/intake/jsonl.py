"""Orders from a file: one order document a line."""

import gc
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from portal.extensions import db
from portal.intake.complaints import DocumentError
from portal.intake.document import OrderDocument, read_document
from portal.intake.update import Outcome
from portal.intake.upsert import upsert

# A transaction a batch: large enough to be quick, small enough that others get their turn and that
# memory does not grow with the file.
BATCH = 1000
BATCH_BYTES = 8 * 1024 * 1024
LINE_BYTES = 16 * 1024 * 1024

Complaint = tuple[int, str]
Written = list[tuple[int, Outcome | DocumentError]]


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of `file`; of one that is longer than LINE_BYTES, only so much that it shows."""
    while line := file.readline(LINE_BYTES + 1):
        yield line
        while len(line) > LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(LINE_BYTES + 1)


@dataclass
class Import:
    """One run: counts what came in, and yields what was wrong as it goes, in the order of lines.

    Each batch is committed by itself. A run that was broken off is simply run again: what is in
    already is then unchanged.
    """

    counts: Counter[str] = field(default_factory=Counter)

    def run(self, lines: Iterable[bytes]) -> Iterator[Complaint]:
        """Bring the orders of `lines` in; yields the number of each bad line and its complaint."""
        batch = _Batch()
        for number, line in enumerate(lines, 1):
            read = _read(line.removeprefix(BOM_UTF8) if number == 1 else line)
            if read is None:
                continue
            if not batch.has_room_for(read, len(line)):
                yield from self._count(batch.write())
                batch = _Batch()
                # Orders go in circles with their items, and Python sees late that nobody has them:
                # it counts things, and knows nothing of how long the licenses are.
                gc.collect()
            batch.add(number, read, len(line))
        yield from self._count(batch.write())

    def _count(self, outcomes: Written) -> Iterator[Complaint]:
        for number, outcome in outcomes:
            if isinstance(outcome, DocumentError):
                self.counts["rejected"] += 1
                yield number, str(outcome)
            else:
                self.counts[outcome] += 1


class _Batch:
    """What is written in one transaction: some lines, each of another order or not usable."""

    def __init__(self) -> None:
        self._lines: dict[int, OrderDocument | DocumentError] = {}
        self._orders: set[int] = set()
        self._bytes = 0

    def has_room_for(self, read: OrderDocument | DocumentError, size: int) -> bool:
        known = isinstance(read, OrderDocument) and read.order_id in self._orders
        full = len(self._lines) == BATCH or self._bytes + size > BATCH_BYTES
        return not known and not (full and self._lines)

    def add(self, number: int, read: OrderDocument | DocumentError, size: int) -> None:
        self._lines[number] = read
        self._bytes += size
        if isinstance(read, OrderDocument):
            self._orders.add(read.order_id)

    def write(self) -> Written:
        """Write the orders down; what became of each line."""
        documents = [read for read in self._lines.values() if isinstance(read, OrderDocument)]
        written = iter(upsert(documents) if documents else [])
        db.session.commit()
        db.session.expunge_all()
        return [
            (number, read if isinstance(read, DocumentError) else next(written))
            for number, read in self._lines.items()
        ]


def _read(line: bytes) -> OrderDocument | DocumentError | None:
    """What a line holds: an order, something else, or nothing."""
    if len(line) > LINE_BYTES:
        return DocumentError(f"line: is longer than {LINE_BYTES // 1024 // 1024} MiB")
    text = line.rstrip()
    if not text:
        return None
    try:
        return read_document(text)
    except DocumentError as error:
        return error
