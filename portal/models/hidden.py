"""What stands in the place of settings that nobody is to see, and what is behind it."""

from collections.abc import Mapping
from typing import Any

from portal.models.change import ANOTHER, HIDDEN

# For the query of an address, which may give access as a header does.
QUERY = f"?{HIDDEN}"


def is_hidden(value: object) -> bool:
    """Whether `value` stands for another one, or its query does."""
    return isinstance(value, str) and (value == HIDDEN or value.endswith(QUERY))


def address(address: str) -> str:
    """An address without its query."""
    bare, _mark, query = address.partition("?")
    return bare + QUERY if query else address


def different_addresses(old: str | None, new: str | None) -> tuple[object, object]:
    """Two addresses that differ, as they are noted."""
    was, is_now = address(old or ""), address(new or "")
    return old and was, new and (is_now.replace(HIDDEN, ANOTHER) if was == is_now else is_now)


def uncovered(settings: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """`settings` with what was there `before` in the place of what is hidden, as far as it was."""
    return {name: _uncovered(value, before.get(name)) for name, value in settings.items()}


def _uncovered(value: Any, before: Any) -> Any:
    if isinstance(value, dict):
        return uncovered(value, before or {})
    if before is None or not is_hidden(value):
        return value
    if value == HIDDEN:
        return before
    _bare, mark, query = str(before).partition("?")
    return value.removesuffix(QUERY) + mark + query if query else value
