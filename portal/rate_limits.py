"""Limits on guessing and flooding.

Each count is a transaction of its own, see rate_counts.py. Therefore counting comes before anything
else of the request that speaks to the database: on SQLite the count would otherwise wait for the
request's own transaction, and the request for the count.
"""

import math
import time
from hashlib import sha256
from ipaddress import ip_network

from flask import Flask, Response, current_app, g, request, session
from flask_limiter.util import get_remote_address

from portal import rate_counts  # noqa: F401 - where RATELIMIT_STORAGE_URI leads
from portal.extensions import db, limiter
from portal.models.staff import one_form_of

# Where a password or a link can be guessed, or a mailbox flooded.
GUESSED = {
    "security.login",
    "security.change_password",
    "security.forgot_password",
    "security.reset_password",
}
# Where a redirect says that the password was right, which was no guess then.
PROVEN = {"security.login", "security.change_password"}
# A link is too long to be guessed, and whose it is nobody says: all would share one count, and
# anybody could use it up for the others.
WITHOUT_ACCOUNT = {"security.reset_password"}


def init_app(app: Flask) -> None:
    """Count the tries of `app`. To be called before any extension that loads the person."""
    app.before_request(_count)
    app.after_request(_take_back)


def seconds_to_wait() -> int:
    """How long until what was refused in this request is allowed again."""
    over = [limit.window[0] for limit in limiter.current_limits if limit.breached]
    return max(1, math.ceil(max(over, default=0) - time.time()))


def _count() -> None:
    """Raises RateLimitExceeded, which errors.py answers with 429."""
    if request.endpoint in GUESSED and request.method == "POST":
        _by_address()  # first: whoever is over it cannot use up the tries of an account
        g.counted = list(limiter.current_limits)  # which are those of the last call alone
        if request.endpoint not in WITHOUT_ACCOUNT:
            _by_account()
            g.counted += limiter.current_limits
    elif getattr(current_app.view_functions.get(request.endpoint or ""), "signed_by_token", False):
        _by_refusals()
        _by_token()


def _take_back(response: Response) -> Response:
    """Leave uncounted who knew the password. Counted first, and taken back, because many guesses
    at once would all come before the first count."""
    is_proven = request.endpoint in PROVEN and response.status_code in (302, 303)
    if is_proven and request.method == "POST":
        db.session.rollback()  # what is not committed is given up: the count would wait for it
        for counted in g.get("counted", []):
            limiter.storage.incr(counted.key, counted.limit.get_expiry(), amount=-1)
    return response


def _account() -> str:
    """The account that a password is tried for, by its address in the form in which it is looked
    up; where no address is asked for, by the person of the session, whatever the form adds."""
    if request.endpoint == "security.change_password":
        return "account:" + _hidden(session.get("_user_id", ""))
    return "account:" + _hidden(one_form_of(request.form.get("email", "")))


def _token() -> str:
    signature = request.authorization
    return "token:" + _hidden((signature.token or "") if signature else "")


def _network() -> str:
    """Where a request comes from. Who has one address of IPv6 has 2⁶⁴ of them (RFC 6177)."""
    address = get_remote_address()
    try:
        network = ip_network((address, 64), strict=False) if ":" in address else None
    except ValueError:
        network = None
    return str(network or address)


def _hidden(text: str) -> str:
    """No address and no token is written down for its being counted."""
    return sha256(text.encode(errors="replace")).hexdigest()


@limiter.limit(lambda: current_app.config["LOGIN_LIMIT_ADDRESS"], key_func=_network)
def _by_address() -> None: ...


@limiter.limit(lambda: current_app.config["LOGIN_LIMIT_ACCOUNT"], key_func=_account)
def _by_account() -> None: ...


@limiter.shared_limit(
    lambda: current_app.config["LOGIN_LIMIT_ADDRESS"],
    scope="refused tokens",
    key_func=_network,
    deduct_when=lambda response: response.status_code == 401,
)
def _by_refusals() -> None: ...


@limiter.shared_limit(lambda: current_app.config["API_LIMIT"], scope="api", key_func=_token)
def _by_token() -> None: ...
