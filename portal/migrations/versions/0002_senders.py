"""The address from which the customers of a checkout page get their mail."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("checkout_pages", sa.Column("sender", sa.String(length=200), nullable=True))


def downgrade() -> None:
    op.drop_column("checkout_pages", "sender")
