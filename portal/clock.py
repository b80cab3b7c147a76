"""The time. Nothing else in Keydesk asks for it, so there is one place to look."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
