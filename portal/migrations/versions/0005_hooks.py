"""Orders come in by webhook: the secrets of checkout pages, what was received, and when an order
was last told of."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Added one by one: SQLite would make the tables anew otherwise, and the rows that refer to them
    # would go along.
    op.add_column("orders", sa.Column("told_at", Time, nullable=True))
    op.add_column("orders", sa.Column("parts", sa.Integer(), nullable=True))
    op.add_column("items", sa.Column("told_at", Time, nullable=True))

    op.create_table(
        "page_secrets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checkout_page_id", sa.Integer(), nullable=False),
        sa.Column("hook", sa.String(32), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.CheckConstraint("slot IN (1, 2)", name="ck_page_secrets_slot"),
        sa.ForeignKeyConstraint(
            ["checkout_page_id"], ["checkout_pages.id"], name="fk_page_secrets_checkout_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_page_secrets"),
        sa.UniqueConstraint(
            "checkout_page_id", "hook", "slot", name="uq_page_secrets_checkout_page_id_hook_slot"
        ),
    )

    op.create_table(
        "received_messages",
        sa.Column("id", Id, nullable=False),
        sa.Column("checkout_page_id", sa.Integer(), nullable=False),
        sa.Column("hook", sa.String(32), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=True),
        sa.Column("order_id", Id, nullable=True),
        sa.Column("order_number", sa.String(length=15), nullable=True),
        sa.Column("received_at", Time, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.Column("complaint", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("replayed_at", Time, nullable=True),
        sa.Column("replayed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["checkout_page_id"],
            ["checkout_pages.id"],
            name="fk_received_messages_checkout_page_id",
        ),
        sa.ForeignKeyConstraint(
            ["replayed_by_id"], ["staff.id"], name="fk_received_messages_replayed_by_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_received_messages"),
        sa.UniqueConstraint(
            "checkout_page_id",
            "hook",
            "message_id",
            name="uq_received_messages_checkout_page_id_hook_message_id",
        ),
    )
    op.create_index("ix_received_messages_received_at", "received_messages", ["received_at"])
    op.create_index("ix_received_messages_order_id", "received_messages", ["order_id"])
    op.create_index(
        "ix_received_messages_checkout_page_id_id",
        "received_messages",
        ["checkout_page_id", "id"],
    )


def downgrade() -> None:
    op.drop_table("received_messages")
    op.drop_table("page_secrets")
    op.drop_column("items", "told_at")
    op.drop_column("orders", "parts")
    op.drop_column("orders", "told_at")
