"""A request that may be larger than any other, where somebody brings it who may."""

from flask import request

from portal.access import current_staff
from portal.extensions import db


def let_in(most: int, *, may: str) -> None:
    """Let the body of this request have `most` bytes, for a person who may do `may`. To be called
    before a view is: the body is read earlier than that. What was asked of the database is not held
    meanwhile."""
    if current_staff.is_authenticated and current_staff.may(may):
        request.max_content_length = most
    db.session.rollback()
