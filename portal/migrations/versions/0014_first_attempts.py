"""Patience with an e-mail begins with the first attempt, not while it waits for its turn."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("started_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE deliveries SET started_at = created_at WHERE due_at IS NOT NULL AND attempts > 0"
    )


def downgrade() -> None:
    op.drop_column("deliveries", "started_at")
