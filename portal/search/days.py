"""A range of days as a filter has it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import get_timezone


@dataclass(frozen=True)
class Days:
    """A range of days with both ends included; only `first` means that one day."""

    first: date | None = None
    last: date | None = None

    def __bool__(self) -> bool:
        return bool(self.first or self.last)

    @property
    def start(self) -> datetime | None:
        """The first moment of the range, in the portal's time zone."""
        return _midnight(self.first) if self.first else None

    @property
    def end(self) -> datetime | None:
        """The first moment after the range; None also where the calendar ends."""
        last = self.last or self.first
        return _midnight(last + timedelta(days=1)) if last and last < date.max else None

    @property
    def count(self) -> int | None:
        """How many days these are, or None when one end is open."""
        if not self.first:
            return None
        return ((self.last or self.first) - self.first).days + 1


def _midnight(day: date) -> datetime:
    """When `day` begins. A day of 23 or 25 hours ends when the next one begins."""
    # Flask-Babel's zone is one of pytz, which a datetime must not be made with.
    zone = ZoneInfo(str(get_timezone()))
    try:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    except OverflowError:  # the year 1 begins before UTC's does
        return datetime.min.replace(tzinfo=UTC)
