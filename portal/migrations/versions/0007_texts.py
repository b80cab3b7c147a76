"""What the e-mails say, for each checkout page and each product, by language."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("products", sa.Column("url", sa.String(500), nullable=True))
    op.create_table(
        "page_texts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checkout_page_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("opening", sa.Text(), nullable=False),
        sa.Column("closing", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkout_page_id"], ["checkout_pages.id"], name="fk_page_texts_checkout_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_page_texts"),
        sa.UniqueConstraint(
            "checkout_page_id", "language", name="uq_page_texts_checkout_page_id_language"
        ),
    )
    op.create_table(
        "product_texts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Time, nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name="fk_product_texts_product_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_product_texts"),
        sa.UniqueConstraint("product_id", "language", name="uq_product_texts_product_id_language"),
    )


def downgrade() -> None:
    op.drop_table("product_texts")
    op.drop_table("page_texts")
    op.drop_column("products", "url")
