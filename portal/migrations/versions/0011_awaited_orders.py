"""The orders that are not delivered are found in the order of the list."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What holds of an item while somebody waits for it.
AWAITED = "{row}.fulfilled_at IS NULL AND {row}.refunded_at IS NULL"
NEW, OLD = AWAITED.format(row="new"), AWAITED.format(row="old")

COLUMNS = "(order_id, checkout_page_id, status, created_at, items)"
FILL = f"""
    INSERT INTO awaited_orders {COLUMNS}
    SELECT orders.id, checkout_page_id, status, created_at, count(*)
    FROM items JOIN orders ON orders.id = items.order_id
    WHERE {AWAITED.format(row="items")} GROUP BY orders.id
"""  # noqa: S608 - made of constants
# Counted, so that two who finish an item each at the same time need not see each other.
ONE_MORE = f"""
    INSERT INTO awaited_orders {COLUMNS}
    SELECT id, checkout_page_id, status, created_at, 1 FROM orders WHERE id = new.order_id
    ON CONFLICT (order_id) DO UPDATE SET items = awaited_orders.items + 1;
"""  # noqa: S608
ONE_LESS = """
    UPDATE awaited_orders SET items = items - 1 WHERE order_id = old.order_id;
    DELETE FROM awaited_orders WHERE order_id = old.order_id AND items = 0;
"""
MOVE = """
    UPDATE awaited_orders SET status = new.status, created_at = new.created_at
    WHERE order_id = new.id;
"""

# By its name, when it fires, for which rows, and what it does.
TRIGGERS = (
    ("awaited_items_appear", "AFTER INSERT ON items", NEW, ONE_MORE),
    ("awaited_items_vanish", "AFTER DELETE ON items", OLD, ONE_LESS),
    (
        "awaited_items_return",
        "AFTER UPDATE OF fulfilled_at, refunded_at ON items",
        f"({NEW}) AND NOT ({OLD})",
        ONE_MORE,
    ),
    (
        "awaited_items_leave",
        "AFTER UPDATE OF fulfilled_at, refunded_at ON items",
        f"({OLD}) AND NOT ({NEW})",
        ONE_LESS,
    ),
    (
        "awaited_orders_move",
        "AFTER UPDATE OF status, created_at ON orders",
        "old.status <> new.status OR old.created_at <> new.created_at",
        MOVE,
    ),
)


def upgrade() -> None:
    big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    order = sa.ForeignKey("orders.id", name="fk_awaited_orders_order_id", ondelete="CASCADE")
    op.create_table(
        "awaited_orders",
        sa.Column("order_id", big_id, order, autoincrement=False, nullable=False),
        sa.Column("checkout_page_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name="pk_awaited_orders"),
    )
    op.execute(FILL)
    for columns in (
        ["created_at", "order_id"],
        ["status", "created_at", "order_id"],
        ["checkout_page_id", "status", "created_at", "order_id"],
    ):
        op.create_index(f"ix_awaited_orders_{'_'.join(columns)}", "awaited_orders", columns)
    for trigger in TRIGGERS:
        _create(*trigger)


def _create(name: str, event: str, rows: str, deed: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {name} {event} WHEN {rows} BEGIN {deed} END")
        return
    body = f"BEGIN {deed} RETURN NULL; END"
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    when = f"FOR EACH ROW WHEN ({rows})"
    op.execute(f"CREATE TRIGGER {name} {event} {when} EXECUTE FUNCTION {name}()")


def downgrade() -> None:
    for name, event, _rows, _deed in TRIGGERS:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON {event.rsplit(' ', 1)[1]}")
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("awaited_orders")
