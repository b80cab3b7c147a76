"""What there is to say of the texts of a file: each is of one kind, with the lines where it stands,
and never the text itself."""

import json
import re
from collections import Counter, defaultdict
from enum import StrEnum

from flask_babel import gettext as _

# So many lines are named of each kind; whoever sees ten wrong ones opens the file.
FIRST = 10


class Kind(StrEnum):
    """A text is one of the first seven; a new one may be conspicuous beside."""

    NEW = "new"
    BLANK = "blank"
    DUPLICATE = "duplicate"
    IN_POOL = "in_pool"
    IN_OTHER_POOL = "in_other_pool"
    SOLD = "sold"
    DAMAGED = "damaged"
    INVISIBLE = "invisible"
    DOUBTFUL = "doubtful"

    @property
    def sentence(self) -> str:
        """What this is, and what becomes of it."""
        return _sentences()[self]


def _sentences() -> dict[Kind, str]:
    return {
        Kind.NEW: _("New: go into the pool"),
        Kind.BLANK: _("Blank: left out"),
        Kind.DUPLICATE: _("More than once in the file: left out but for the first"),
        Kind.IN_POOL: _("In the pool already: left out"),
        Kind.IN_OTHER_POOL: _("In another pool: left out"),
        Kind.SOLD: _("Sold already: left out"),
        Kind.DAMAGED: _("Damaged by a spreadsheet, such as #NAME? or 1.23E+15: left out"),
        Kind.INVISIBLE: _("New with an invisible character: go in as they are"),
        Kind.DOUBTFUL: _(
            "New and look like a date or a formula of a spreadsheet: go in as they are"
        ),
    }


class Findings:
    """How many there are of each kind, and the first lines of them."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self.lines: defaultdict[Kind, list[int]] = defaultdict(list)

    def add(self, kind: Kind, line: int) -> None:
        """One more of `kind`, which stands in `line`."""
        self.counts[kind] += 1
        if len(self.lines[kind]) < FIRST:
            self.lines[kind].append(line)

    def dump(self) -> str:
        """Them as JSON, for `load`."""
        return json.dumps(
            {kind: {"count": self.counts[kind], "lines": self.lines[kind]} for kind in self.counts}
        )

    @classmethod
    def load(cls, report: str | None) -> "Findings":
        """What was written down; nothing where nothing was."""
        findings = cls()
        for kind, found in json.loads(report or "{}").items():
            findings.counts[Kind(kind)] = found["count"]
            findings.lines[Kind(kind)] = found["lines"]
        return findings


_LOST = re.compile(
    r"#(NAME\?|VALUE!|REF!|DIV/0!|N/A|NUM!|NULL!|SPILL!|CALC!)|#{3,}|[+-]?\d([.,]\d+)?E\+\d+"
)
_MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DOUBTFUL = re.compile(
    rf"=.*|(\d\d?-)?{_MONTH}-\d{{2,4}}|\d\d?-{_MONTH}"
    r"|\d\d?[/.]\d\d?[/.](\d\d){1,2}|(\d\d){1,2}-\d\d?-\d\d?( 00:00(:00)?)?",
    re.DOTALL,
)
# Blanks that are none of the keyboard's, what has no width, what turns the direction, and controls.
_INVISIBLE = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\uffff]"
)


def is_damaged(text: str) -> bool:
    """Whether a spreadsheet has put something of its own in the place of the license."""
    return _LOST.fullmatch(text) is not None


def warnings_of(text: str) -> list[Kind]:
    """What somebody should look at before it is sold."""
    found = []
    if _INVISIBLE.search(text):
        found.append(Kind.INVISIBLE)
    if _DOUBTFUL.fullmatch(text):
        found.append(Kind.DOUBTFUL)
    return found
