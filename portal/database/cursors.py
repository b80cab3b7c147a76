"""How an answer of PostgreSQL's is described to SQLAlchemy."""

from typing import Any

from psycopg import Cursor

LEFT_OPEN = (None,) * 5


class NamingCursor(Cursor[Any]):
    """psycopg's, with a name and a type for each column and nothing else. SQLAlchemy asks for no
    more, and to describe all of an order's takes psycopg as long as PostgreSQL takes to find it."""

    @property
    def description(self) -> list[Any] | None:
        """As PEP 249 has it, without what it leaves open."""
        found = self.pgresult
        if found is None or not found.nfields:
            return super().description
        return [
            ((found.fname(place) or b"").decode(), found.ftype(place), *LEFT_OPEN)
            for place in range(found.nfields)
        ]
