"""How Alembic reaches the database: through the running application, in one transaction."""

from typing import Any

from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


# What no model knows: the search index, which is tables on SQLite, and the queue of the jobs.
OTHERS = ("order_search", "huey_", "ix_orders_search_text")
# SQLite does not tell all of a foreign key that came with a column.
HALF_TOLD = ("deliveries", ["item_id"])


def in_our_words(thing: Any, name: str | None, kind: str, _is_there: bool, _other: object) -> bool:
    """Whether the models say what there is to know of `thing`."""
    if kind == "foreign_key_constraint":
        return (thing.table.name, thing.column_keys) != HALF_TOLD
    return not (name or "").startswith(OTHERS)


with db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        include_object=in_our_words,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
