"""Apostrophes, quotes and hyphens are found as a keyboard has them: O’Brien, Larsen‑Holm."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ORDERS = sa.table("orders", sa.column("search_text", sa.Text))

# As searchable() folds them from here on: what the left are written as, to what the right is.
TYPESET = {
    "'": "\u2018\u2019\u201b\u02bc\u2032\u05f3",
    '"': "\u201c\u201d\u201e\u201f\u00ab\u00bb\u05f4",
    "-": "\u2010\u2012\u2013\u2014\u2015\u2212",
}
SYLLABLES = 0xAC00


def _letter(sign: str) -> str:
    return sign if sign.isalpha() else chr(SYLLABLES + ord(sign) % 11172)


def upgrade() -> None:
    was: sa.ColumnElement[str] = ORDERS.c.search_text
    folded = was
    for plain, signs in TYPESET.items():
        for sign in signs:
            folded = sa.func.replace(folded, _letter(sign), _letter(plain))
    op.execute(ORDERS.update().where(was != folded).values(search_text=folded))


def downgrade() -> None:
    """How it was written is not known any more; it is found all the same."""
