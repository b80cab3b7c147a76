"""Where a page of a list begins."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

ORDER_ID = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True)
class Cursor:
    """A place in a list that runs from the newest order to the oldest."""

    created_at: datetime
    id: int
    backwards: bool = False

    @classmethod
    def read(cls, text: str, *, backwards: bool) -> Self | None:
        """The cursor in an address, or None where there is none to be understood."""
        created, _, order_id = text.partition("_")
        if not ORDER_ID.fullmatch(order_id):
            return None
        try:
            moment = datetime.fromisoformat(created)
            # The database compares what it is given, in UTC.
            return cls(moment.astimezone(UTC), int(order_id), backwards) if moment.tzinfo else None
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        return f"{self.created_at.isoformat().replace('+00:00', 'Z')}_{self.id}"
