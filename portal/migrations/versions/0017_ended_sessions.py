"""Who signs out ends the session, not only its cookie in one browser."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "staff", sa.Column("ended_sessions", sa.JSON, nullable=False, server_default="{}")
    )


def downgrade() -> None:
    op.drop_column("staff", "ended_sessions")
