"""Who is asking, and what they may do: each view says which of these lets somebody in."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import abort, request
from flask_security import current_user as signed_in_user
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response

from portal import sessions
from portal.access.sign_in import to_sign_in
from portal.extensions import csrf, db
from portal.models import Staff

P = ParamSpec("P")
R = TypeVar("R")

current_staff = cast(Staff, signed_in_user)


def staff_only(*, may: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Let in who signed in and may do `may`; the others see the sign-in page, or 403."""

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            if not signed_in_user.is_authenticated:
                return to_sign_in()
            if not current_staff.may(may):
                abort(403)
            return view(*args, **kwargs)

        guarded.may = may  # type: ignore[attr-defined]
        return guarded

    return decorate


def token_only(*, may: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let in who signs the request with an API token (RFC 6750, 2.1) and may do `may`; the others
    get 401 or 403. Sessions do not count here, so no CSRF token is needed: no browser adds an API
    token by itself."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            person = Staff.by_token(_bearer_token())
            if person is None:
                db.session.rollback()  # the refusal is counted yet, see rate_limits.py
                raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"realm": "Keydesk"}))
            sessions.asks_as(person)
            if not person.may(may):
                abort(403)
            return view(*args, **kwargs)

        guarded.may = may  # type: ignore[attr-defined]
        guarded.signed_by_token = True  # type: ignore[attr-defined]
        return csrf.exempt(guarded)

    return decorate


def signed_messages(view: Callable[P, R]) -> Callable[P, R]:
    """Let in who signs the message with a secret of the checkout page, which the view sees to:
    what has to be signed differs. Sessions do not count here, so no CSRF token is needed."""
    view.signed_by_page = True  # type: ignore[attr-defined]
    return csrf.exempt(view)


def _bearer_token() -> str:
    signature = request.authorization
    return (signature.token or "") if signature and signature.type == "bearer" else ""
