"""How much of an item is done, so that what is bought later can be told from it; and what waits for
somebody has its whole patience left."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fulfilments", sa.Column("done_for", sa.Integer(), nullable=True))
    op.add_column("fulfilments", sa.Column("done_with", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE fulfilments SET"
        " done_for = (SELECT quantity FROM items WHERE items.id = fulfilments.item_id),"
        " done_with = (SELECT count(*) FROM licenses"
        "   WHERE licenses.item_id = fulfilments.item_id AND licenses.revoked_at IS NULL)"
        " WHERE state = 'done'"
    )
    op.execute("UPDATE fulfilments SET started_at = NULL, attempts = 0 WHERE state = 'waiting'")


def downgrade() -> None:
    op.drop_column("fulfilments", "done_with")
    op.drop_column("fulfilments", "done_for")
