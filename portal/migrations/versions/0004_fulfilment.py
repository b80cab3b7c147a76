"""Products and their tools, where each item stands, pools, and deliveries that are tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True)
DUE = sa.text("due_at IS NOT NULL")
PENDING = sa.text("state IN ('reading', 'read')")
SENDING = sa.text("status = 'sending'")

TABLES = (
    "products",
    "fulfilments",
    "pools",
    "pool_uploads",
    "pool_licenses",
    "pool_waits",
    "notices",
    "changes",
)

# Statements that both databases know, because SQLite would otherwise make the table anew, and
# dropping the old one would take the rows that refer to it along.
NEW_COLUMNS = (
    "ALTER TABLE checkout_pages ADD COLUMN reply_to VARCHAR(254)",
    "ALTER TABLE checkout_pages ADD COLUMN vendor_email VARCHAR(254)",
    "ALTER TABLE checkout_pages ADD COLUMN mails_per_minute INTEGER",
    "ALTER TABLE checkout_pages ADD COLUMN next_mail_at {time}",
    "ALTER TABLE deliveries RENAME COLUMN host TO sender",
    "ALTER TABLE deliveries ADD COLUMN item_id {id}"
    " CONSTRAINT fk_deliveries_item_id REFERENCES items (id) ON DELETE CASCADE",
    "ALTER TABLE deliveries ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE deliveries ADD COLUMN due_at {time}",
    "ALTER TABLE licenses ADD COLUMN revoked_at {time}",
    "ALTER TABLE licenses ADD COLUMN revoked_because VARCHAR(200)",
    "ALTER TABLE licenses ADD COLUMN pool_license_id {id}"
    " CONSTRAINT fk_licenses_pool_license_id REFERENCES pool_licenses (id)",
)
OLD_COLUMNS = (
    "ALTER TABLE checkout_pages DROP COLUMN next_mail_at",
    "ALTER TABLE checkout_pages DROP COLUMN mails_per_minute",
    "ALTER TABLE checkout_pages DROP COLUMN vendor_email",
    "ALTER TABLE checkout_pages DROP COLUMN reply_to",
    "ALTER TABLE deliveries RENAME COLUMN sender TO host",
    "ALTER TABLE deliveries DROP COLUMN due_at",
    "ALTER TABLE deliveries DROP COLUMN attempts",
    "ALTER TABLE deliveries DROP COLUMN item_id",
    "ALTER TABLE licenses DROP COLUMN pool_license_id",
    "ALTER TABLE licenses DROP COLUMN revoked_because",
    "ALTER TABLE licenses DROP COLUMN revoked_at",
)


def upgrade() -> None:
    _create_products()
    _create_pools()
    _create_notices()
    for statement in NEW_COLUMNS:
        op.execute(statement.format(**_types()))
    op.create_index("ix_licenses_pool_license_id", "licenses", ["pool_license_id"], unique=True)
    op.execute("UPDATE deliveries SET due_at = created_at WHERE status = 'sending'")
    op.drop_index("ix_deliveries_open", "deliveries")
    op.create_index(
        "ix_deliveries_due", "deliveries", ["due_at"], sqlite_where=DUE, postgresql_where=DUE
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_due", "deliveries")
    op.drop_index("ix_licenses_pool_license_id", "licenses")
    for statement in OLD_COLUMNS:
        op.execute(statement)
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["order_id"],
        sqlite_where=SENDING,
        postgresql_where=SENDING,
    )
    for table in reversed(TABLES):
        op.drop_table(table)


def _types() -> dict[str, str]:
    sqlite = op.get_bind().dialect.name == "sqlite"
    return (
        {"id": "INTEGER", "time": "DATETIME"}
        if sqlite
        else {"id": "BIGINT", "time": "TIMESTAMP WITH TIME ZONE"}
    )


def _create_products() -> None:
    op.create_table(
        "products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checkout_page_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("tool", sa.String(32), nullable=True),
        sa.Column("license_quantity", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.ForeignKeyConstraint(
            ["checkout_page_id"], ["checkout_pages.id"], name="fk_products_checkout_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
        sa.UniqueConstraint("checkout_page_id", "code", name="uq_products_checkout_page_id_code"),
    )
    op.create_table(
        "fulfilments",
        sa.Column("id", Id, nullable=False),
        sa.Column("item_id", Id, nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_for", sa.Integer(), nullable=True),
        sa.Column("started_at", Time, nullable=True),
        sa.Column("due_at", Time, nullable=True),
        sa.Column("claimed_by", sa.String(length=255), nullable=True),
        sa.Column("failure", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name="fk_fulfilments_item_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_fulfilments_product_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fulfilments"),
        sa.UniqueConstraint("item_id", name="uq_fulfilments_item_id"),
        sa.UniqueConstraint("request_id", name="uq_fulfilments_request_id"),
    )
    op.create_index(
        "ix_fulfilments_due", "fulfilments", ["due_at"], sqlite_where=DUE, postgresql_where=DUE
    )
    op.create_index("ix_fulfilments_product_id_state", "fulfilments", ["product_id", "state"])


def _create_pools() -> None:
    op.create_table(
        "pools",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("warn_to", sa.String(length=254), nullable=True),
        sa.Column("warned_at", Time, nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pools"),
        sa.UniqueConstraint("title", name="uq_pools_title"),
    )
    op.create_table(
        "pool_uploads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("free", sa.Integer(), nullable=False),
        sa.Column("next_position", sa.Integer(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("complaint", sa.String(length=500), nullable=True),
        sa.Column("reader", sa.String(length=255), nullable=True),
        sa.Column("read_at", Time, nullable=True),
        sa.Column("read_percent", sa.Integer(), nullable=False),
        sa.Column("is_cleared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name="fk_pool_uploads_by_id"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_pool_uploads_pool_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pool_uploads"),
    )
    op.create_index("ix_pool_uploads_pool_id", "pool_uploads", ["pool_id"])
    _create_index("ix_pool_uploads_pending", "pool_uploads", ["pool_id"], PENDING, unique=True)
    _create_pool_licenses()


def _create_pool_licenses() -> None:
    op.create_table(
        "pool_licenses",
        sa.Column("id", Id, nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("upload_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("item_id", Id, nullable=True),
        sa.Column("taken_at", Time, nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_pool_licenses_item_id"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_pool_licenses_pool_id"),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["pool_uploads.id"], name="fk_pool_licenses_upload_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_pool_licenses"),
        sa.UniqueConstraint("digest", "pool_id", name="uq_pool_licenses_digest_pool_id"),
    )
    for name, columns, those in (
        ("free", ["upload_id", "position"], "item_id IS NULL"),
        ("item_id", ["item_id"], "item_id IS NOT NULL"),
        ("taken", ["pool_id", "taken_at"], "taken_at IS NOT NULL"),
    ):
        _create_index(f"ix_pool_licenses_{name}", "pool_licenses", columns, sa.text(those))
    op.create_table(
        "pool_waits",
        sa.Column("item_id", Id, autoincrement=False, nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("ordered_at", Time, nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("in_parts", sa.Boolean(), nullable=False),
        sa.Column("is_ready", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name="fk_pool_waits_item_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_pool_waits_pool_id"),
        sa.PrimaryKeyConstraint("item_id", name="pk_pool_waits"),
    )
    open_waits = ["pool_id", "ordered_at", "item_id"]
    _create_index("ix_pool_waits_open", "pool_waits", open_waits, sa.text("missing > 0"))
    _create_index("ix_pool_waits_ready", "pool_waits", ["pool_id"], sa.text("is_ready"))


def _create_index(
    name: str, table: str, columns: list[str], those: sa.TextClause, *, unique: bool = False
) -> None:
    """An index of those rows alone."""
    op.create_index(name, table, columns, unique=unique, sqlite_where=those, postgresql_where=those)


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("to_address", sa.String(254), nullable=False),
        sa.Column("item_id", Id, nullable=True),
        sa.Column("pool_id", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.String(255), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Time, nullable=True),
        sa.Column("sent_at", Time, nullable=True),
        sa.Column("failure", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name="fk_notices_item_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["pools.id"], name="fk_notices_pool_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("message_id", name="uq_notices_message_id"),
    )
    op.create_index("ix_notices_due", "notices", ["due_at"], sqlite_where=DUE, postgresql_where=DUE)
    op.create_index("ix_notices_item_id", "notices", ["item_id"])
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("noun", sa.String(32), nullable=False),
        sa.Column("noun_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("field", sa.String(64), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name="fk_changes_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
    )
    op.create_index("ix_changes_noun_noun_id_at", "changes", ["noun", "noun_id", "at"])
