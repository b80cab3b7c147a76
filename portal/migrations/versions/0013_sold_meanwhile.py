"""An upload notes as far as which license it was compared with what was sold, and the notices of a
pool are found."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OF_POOLS = sa.text("pool_id IS NOT NULL")


def upgrade() -> None:
    column = sa.Column("sold_until", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("pool_uploads", column)
    op.create_index(
        "ix_notices_pool_id",
        "notices",
        ["pool_id"],
        sqlite_where=OF_POOLS,
        postgresql_where=OF_POOLS,
    )


def downgrade() -> None:
    op.drop_index("ix_notices_pool_id", table_name="notices")
    op.drop_column("pool_uploads", "sold_until")
