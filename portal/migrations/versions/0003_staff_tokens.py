"""Each person may have a token that signs their requests to the API."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No unique constraint but an index: SQLite cannot add the former without making the table anew,
    # which would take the rows that refer to it along.
    op.add_column("staff", sa.Column("token_digest", sa.String(64), nullable=True))
    op.create_index("ix_staff_token_digest", "staff", ["token_digest"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_staff_token_digest", "staff")
    op.drop_column("staff", "token_digest")
