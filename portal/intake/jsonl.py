"""Orders from a file: one order document a line."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from portal.extensions import db
from portal.intake.document import DocumentError, OrderDocument, read_document
from portal.intake.update import Outcome
from portal.intake.upsert import upsert
from portal.models import Order

# A transaction a batch: large enough to be quick, small enough that others get their turn.
BATCH = 1_000

Complaint = tuple[int, str]


@dataclass
class Import:
    """One run: counts what came in, and yields what was wrong as it goes.

    Each batch is committed by itself. A run that was broken off is simply run again: what is in
    already is then unchanged.
    """

    counts: Counter[str] = field(default_factory=Counter)

    def run(self, lines: Iterable[bytes]) -> Iterator[Complaint]:
        """Bring the orders of `lines` in; yields the number of each bad line and its complaint."""
        batch: dict[int, tuple[int, OrderDocument]] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                document = read_document(line)
            except DocumentError as error:
                yield self._reject(number, error)
                continue
            order_id = Order.id_of(document.number) or 0
            if order_id in batch or len(batch) == BATCH:
                yield from self._write(batch)
                batch = {}
            batch[order_id] = (number, document)
        yield from self._write(batch)

    def _write(self, batch: dict[int, tuple[int, OrderDocument]]) -> Iterator[Complaint]:
        numbered = list(batch.values())
        outcomes = upsert([document for _number, document in numbered])
        db.session.commit()
        db.session.expunge_all()
        for (number, _document), outcome in zip(numbered, outcomes, strict=True):
            if isinstance(outcome, Outcome):
                self.counts[outcome] += 1
            else:
                yield self._reject(number, outcome)

    def _reject(self, number: int, error: DocumentError) -> Complaint:
        self.counts["rejected"] += 1
        return number, str(error)
