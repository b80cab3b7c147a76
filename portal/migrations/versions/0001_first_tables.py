"""The first tables: orders and what belongs to them, staff, deliveries, history."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)

TABLES = (
    "checkout_pages",
    "rate_limits",
    "staff",
    "orders",
    "staff_checkout_pages",
    "deliveries",
    "items",
    "history_entries",
    "licenses",
    "delivery_licenses",
)

# What the search box finds: parts of words, so the index is one of trigrams. SQLite keeps it in a
# table of its own, which the triggers bring up to date.
SQLITE_SEARCH = (
    """
    CREATE VIRTUAL TABLE order_search USING fts5(
        search_text, content='orders', content_rowid='id', tokenize='trigram'
    )
    """,
    """
    CREATE TRIGGER orders_search_insert AFTER INSERT ON orders BEGIN
        INSERT INTO order_search(rowid, search_text) VALUES (new.id, new.search_text);
    END
    """,
    """
    CREATE TRIGGER orders_search_delete AFTER DELETE ON orders BEGIN
        INSERT INTO order_search(order_search, rowid, search_text)
        VALUES ('delete', old.id, old.search_text);
    END
    """,
    """
    CREATE TRIGGER orders_search_update AFTER UPDATE OF search_text ON orders BEGIN
        INSERT INTO order_search(order_search, rowid, search_text)
        VALUES ('delete', old.id, old.search_text);
        INSERT INTO order_search(rowid, search_text) VALUES (new.id, new.search_text);
    END
    """,
)
POSTGRESQL_SEARCH = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ix_orders_search_text ON orders USING gin (search_text gin_trgm_ops)",
)


def upgrade() -> None:
    op.create_table(
        "checkout_pages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=63), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("delivery_allowed", sa.Boolean(), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_checkout_pages"),
        sa.UniqueConstraint("code", name="uq_checkout_pages_code"),
    )
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_limits"),
    )
    op.create_index("ix_rate_limits_ends_at", "rate_limits", ["ends_at"])

    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("email", name="uq_staff_email"),
        sa.UniqueConstraint("fs_uniquifier", name="uq_staff_fs_uniquifier"),
    )
    op.create_table(
        "orders",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=15), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=True),
        sa.Column("checkout_page_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("paid_at", Time, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("payment_method", sa.String(length=64), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("first_name", sa.String(length=100), nullable=True),
        sa.Column("last_name", sa.String(length=100), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("company", sa.String(length=200), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("customer_type", sa.String(length=8), nullable=False),
        sa.Column("erased_at", Time, nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkout_page_id"], ["checkout_pages.id"], name="fk_orders_checkout_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
    )
    op.create_index("ix_orders_checkout_page_id_paid_at", "orders", ["checkout_page_id", "paid_at"])
    op.create_index(
        "ix_orders_checkout_page_id_status_created_at_id",
        "orders",
        ["checkout_page_id", "status", "created_at", "id"],
    )
    op.create_index("ix_orders_created_at_id", "orders", ["created_at", "id"])
    op.create_index("ix_orders_status_created_at_id", "orders", ["status", "created_at", "id"])

    op.create_table(
        "staff_checkout_pages",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("checkout_page_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkout_page_id"],
            ["checkout_pages.id"],
            name="fk_staff_checkout_pages_checkout_page_id",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name="fk_staff_checkout_pages_staff_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("staff_id", "checkout_page_id", name="pk_staff_checkout_pages"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False),
        sa.Column("order_id", Id, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("to_address", sa.String(length=254), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("text_version", sa.String(length=32), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=255), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("finished_at", Time, nullable=True),
        sa.Column("failure", sa.String(length=32), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name="fk_deliveries_by_id"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name="fk_deliveries_order_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("message_id", name="uq_deliveries_message_id"),
        sa.UniqueConstraint("token", name="uq_deliveries_token"),
    )
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["order_id"],
        sqlite_where=sa.text("status = 'sending'"),
        postgresql_where=sa.text("status = 'sending'"),
    )
    op.create_index("ix_deliveries_order_id", "deliveries", ["order_id"])

    op.create_table(
        "items",
        sa.Column("id", Id, nullable=False),
        sa.Column("order_id", Id, nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_code", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=True),
        sa.Column("product_name", sa.String(length=255), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("refunded_at", Time, nullable=True),
        sa.Column("fulfilled_at", Time, nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name="fk_items_order_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_items"),
        sa.UniqueConstraint("order_id", "ref", name="uq_items_order_id_ref"),
    )
    op.create_index(
        "ix_items_awaited",
        "items",
        ["order_id"],
        sqlite_where=sa.text("fulfilled_at IS NULL AND refunded_at IS NULL"),
        postgresql_where=sa.text("fulfilled_at IS NULL AND refunded_at IS NULL"),
    )

    op.create_table(
        "history_entries",
        sa.Column("id", Id, nullable=False),
        sa.Column("order_id", Id, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("to_address", sa.String(length=254), nullable=True),
        sa.Column("failure", sa.String(length=32), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("delivery_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name="fk_history_entries_by_id"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name="fk_history_entries_delivery_id"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name="fk_history_entries_order_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_history_entries"),
    )
    op.create_index("ix_history_entries_order_id_at", "history_entries", ["order_id", "at"])

    op.create_table(
        "licenses",
        sa.Column("id", Id, nullable=False),
        sa.Column("item_id", Id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("tail_digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("received_at", Time, nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name="fk_licenses_item_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_licenses"),
        sa.UniqueConstraint("item_id", "position", name="uq_licenses_item_id_position"),
    )
    op.create_index("ix_licenses_digest", "licenses", ["digest"])
    op.create_index("ix_licenses_tail_digest", "licenses", ["tail_digest"])

    op.create_table(
        "delivery_licenses",
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("license_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name="fk_delivery_licenses_delivery_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["license_id"],
            ["licenses.id"],
            name="fk_delivery_licenses_license_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "license_id", name="pk_delivery_licenses"),
    )
    op.create_index(
        "ix_delivery_licenses_license_id", "delivery_licenses", ["license_id", "delivery_id"]
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_SEARCH if sqlite else POSTGRESQL_SEARCH:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE order_search")
    for table in reversed(TABLES):
        op.drop_table(table)
