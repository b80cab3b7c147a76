"""How Alembic reaches the database: through the running application, in one transaction."""

from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


def in_our_words(_name: object, kind: str, _parent: object) -> bool:
    """SQLite's search index is made of tables that no model knows."""
    return not (kind == "table" and str(_name).startswith("order_search"))


with db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        include_name=in_our_words,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
