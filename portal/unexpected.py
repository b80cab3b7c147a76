"""What nobody expected is written down by where it came from, and not by what it says: the words of
an exception quote the values that it was about, which here are addresses and licenses."""

import logging
import traceback


def write_down(log: logging.Logger, what: str, error: BaseException) -> None:
    """Log `what` went wrong, and for `error` and what led to it their kinds and where they came
    from."""
    cause: BaseException | None = error
    while cause is not None:
        steps = "".join(traceback.format_tb(cause.__traceback__))
        log.error("%s: %s\n%s", what, type(cause).__qualname__, steps)
        cause = cause.__cause__ or cause.__context__
