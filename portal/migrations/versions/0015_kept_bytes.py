"""What is kept of the messages of a checkout page is limited by the day."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "received_messages",
        sa.Column("left_out", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "kept_bytes",
        sa.Column("checkout_page_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkout_page_id"], ["checkout_pages.id"], name="fk_kept_bytes_checkout_page_id"
        ),
        sa.PrimaryKeyConstraint("checkout_page_id", name="pk_kept_bytes"),
    )


def downgrade() -> None:
    op.drop_table("kept_bytes")
    op.drop_column("received_messages", "left_out")
