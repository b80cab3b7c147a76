"""What only reads, and so waits for nobody: requests, and transactions that say so."""

from collections.abc import Callable
from typing import TypeVar

from flask import current_app, has_request_context, request
from sqlalchemy.orm import Session

View = TypeVar("View", bound=Callable[..., object])

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# The option of a connection whose transaction only reads.
READS = "keydesk_reads"


def begin_reading(session: Session) -> None:
    """Begin a transaction that will only read, in a request that may write after it has ended: so
    it need not wait for the write lock."""
    session.rollback()
    session.connection(execution_options={READS: True})


def will_write() -> bool:
    """Whether what is done at the moment may write: all but a request that only reads."""
    if not has_request_context():
        return True
    view = current_app.view_functions.get(request.endpoint or "")
    return request.method not in SAFE_METHODS and not getattr(view, "reads_only", False)


def reads_only(view: View) -> View:
    """Mark a POST that changes nothing, so that it does not wait for the write lock."""
    view.reads_only = True  # type: ignore[attr-defined]
    return view
