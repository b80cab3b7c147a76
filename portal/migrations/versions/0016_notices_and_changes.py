"""Patience with a notice begins with its first attempt; and what gives access to a web service is
hidden where early versions have noted it among the changes."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# As portal/models/change.py writes them.
HIDDEN, ANOTHER = "•••", "another •••"
PRIVATE = ("secret", "extra_headers", "extra_parameters")

changes = sa.table(
    "changes",
    sa.column("id", sa.Integer),
    sa.column("noun", sa.String),
    sa.column("field", sa.String),
    sa.column("before", sa.Text),
    sa.column("after", sa.Text),
)


def upgrade() -> None:
    op.add_column("notices", sa.Column("started_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE notices SET started_at = created_at WHERE due_at IS NOT NULL AND attempts > 0"
    )
    connection = op.get_bind()
    of_products = sa.select(changes).where(changes.c.noun == "products")
    for row in connection.execute(of_products).all():
        before, after = _hidden(row.field, row.before, row.after)
        if (before, after) != (row.before, row.after):
            connection.execute(
                changes.update().where(changes.c.id == row.id).values(before=before, after=after)
            )


def downgrade() -> None:
    op.drop_column("notices", "started_at")


def _hidden(field: str, before: str | None, after: str | None) -> tuple[str | None, str | None]:
    if field.partition(".")[0] in PRIVATE:
        return before and HIDDEN, after and (ANOTHER if before else HIDDEN)
    if field == "url":
        was, is_now = _without_query(before), _without_query(after)
        same = was is not None and was == is_now and before != after
        return was, is_now.replace(HIDDEN, ANOTHER) if is_now and same else is_now
    return before, after


def _without_query(address: str | None) -> str | None:
    bare, mark, query = (address or "").partition("?")
    if query in ("", HIDDEN, ANOTHER):
        return address
    return bare + mark + HIDDEN
