"""When something that failed for the time being is tried again."""

import random
from datetime import datetime, timedelta

from flask import current_app

from portal import clock

# After this an e-mail that is still being sent has lost its sender: longer than any send takes.
LOST_AFTER = timedelta(seconds=30)

# So that what failed together does not come back together.
JITTER = 0.2


def next_try(attempts: int, started_at: datetime, at_least: float = 0) -> datetime | None:
    """When to try again after `attempts` tries since `started_at`, in `at_least` so many seconds,
    or None to give up."""
    waits: list[float] = current_app.config["RETRY_WAITS"]
    wait = waits[min(max(attempts, 1), len(waits)) - 1]
    wait = max(wait * random.uniform(1 - JITTER, 1 + JITTER), at_least)  # noqa: S311
    moment = clock.now() + timedelta(seconds=wait)
    return moment if moment < patience_ends(started_at) else None


def patience_ends(started_at: datetime) -> datetime:
    """When what was begun at a moment is given up."""
    return started_at + timedelta(hours=current_app.config["RETRY_HOURS"])
