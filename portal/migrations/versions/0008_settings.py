"""What operators set on pages: why delivery is forbidden, and the languages of a checkout page."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Statements that both databases know: SQLite would otherwise make the table anew.
    op.execute("ALTER TABLE checkout_pages ADD COLUMN delivery_note VARCHAR(200)")
    op.execute("ALTER TABLE checkout_pages ADD COLUMN languages VARCHAR(64)")


def downgrade() -> None:
    op.execute("ALTER TABLE checkout_pages DROP COLUMN languages")
    op.execute("ALTER TABLE checkout_pages DROP COLUMN delivery_note")
