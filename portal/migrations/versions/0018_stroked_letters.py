"""Letters that Unicode does not take apart are found by plain ones: Yılmaz, Sørensen."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ORDERS = sa.table("orders", sa.column("search_text", sa.Text))

# As searchable() folds them from here on.
STROKED = {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ŋ": "n"}
STROKED |= {"ə": "a", "æ": "ae", "œ": "oe", "þ": "th"}


def upgrade() -> None:
    was: sa.ColumnElement[str] = ORDERS.c.search_text
    folded = was
    for letter, plain in STROKED.items():
        folded = sa.func.replace(folded, letter, plain)
    op.execute(ORDERS.update().where(was != folded).values(search_text=folded))


def downgrade() -> None:
    """How it was written is not known any more; it is found all the same."""
