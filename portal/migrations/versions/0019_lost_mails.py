"""Of an e-mail that the mail server may have, nobody says that it was not sent."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

DELIVERIES = sa.table(
    "deliveries", sa.column("id"), sa.column("due_at"), sa.column("may_have_left", sa.Boolean)
)
ENTRIES = sa.table("history_entries", sa.column("delivery_id"), sa.column("what", sa.String))


def upgrade() -> None:
    for table in ("deliveries", "notices"):
        op.add_column(
            table,
            sa.Column("may_have_left", sa.Boolean(), nullable=False, server_default=sa.false()),
        )
    lost = sa.select(ENTRIES.c.delivery_id).where(ENTRIES.c.what == "email_lost")
    underway = DELIVERIES.c.due_at.is_not(None)  # the few that are, see their index
    are_lost = DELIVERIES.update().where(underway, DELIVERIES.c.id.in_(lost))
    op.execute(are_lost.values(may_have_left=True))


def downgrade() -> None:
    for table in ("deliveries", "notices"):
        op.drop_column(table, "may_have_left")
