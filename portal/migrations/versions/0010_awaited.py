"""The items that wait for the vendor's staff are found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

AWAITED = sa.text("state = 'waiting' AND failure = 'license_awaited'")


def upgrade() -> None:
    op.create_index(
        "ix_fulfilments_awaited",
        "fulfilments",
        ["id"],
        sqlite_where=AWAITED,
        postgresql_where=AWAITED,
    )


def downgrade() -> None:
    op.drop_index("ix_fulfilments_awaited", table_name="fulfilments")
