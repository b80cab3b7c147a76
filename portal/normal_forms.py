"""Unicode's normal forms, in a time that grows with the text and not with its square.

To normalize sorts each run of combining marks, and Python sorts it as slowly as can be: a sign-in
form with a hundred thousand of them kept a process busy for minutes.
"""

from itertools import islice
from typing import Literal
from unicodedata import combining, normalize

# As many as any language ever needs on one letter (UAX #15, Stream-Safe Text Format), and what
# parts longer runs there: the combining grapheme joiner, which is not to be seen.
LONGEST_RUN = 30
JOINER = "\u034f"


def normal(form: Literal["NFKC", "NFKD"], text: str) -> str:
    """`text` in this normal form; a run of marks that no language has is parted before."""
    marks = filter(combining, text)
    if text.isascii() or next(islice(marks, LONGEST_RUN, None), None) is None:
        return normalize(form, text)
    signs, run = [], 0
    for sign in text:
        run = run + 1 if combining(sign) else 0
        if run > LONGEST_RUN:
            signs.append(JOINER)
            run = 1
        signs.append(sign)
    return normalize(form, "".join(signs))
