"""Static files stay in the browser for a year: their addresses change with what is in them."""

import os
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, current_app, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin

YEAR = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    app.session_interface = SessionOfPages()
    app.url_defaults(_add_digest)
    app.after_request(_let_it_stay)


class SessionOfPages(SecureCookieSessionInterface):
    """Static files have no part in the session: with `Vary: Cookie` a browser would fetch them
    again after each sign-in."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint != "static":
            super().save_session(app, session, response)


def _add_digest(endpoint: str, values: dict[str, object]) -> None:
    if endpoint == "static" and (digest := _digest(str(values["filename"]))):
        values.setdefault("v", digest)


def _let_it_stay(response: Response) -> Response:
    """An address with the digest of what it answers is good for ever; any other is asked again."""
    if request.endpoint == "static" and request.view_args and response.status_code in (200, 304):
        digest = _digest(request.view_args["filename"])
        if digest and request.args.get("v") == digest:
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


def _digest(filename: str) -> str | None:
    path = f"{current_app.static_folder}/{filename}"
    try:
        return _digest_of(path, os.stat(path).st_mtime_ns)  # noqa: PTH116 - ten times for each page
    except (OSError, ValueError):  # there is none, or no file has such a name
        return None


@lru_cache(maxsize=100)
def _digest_of(path: str, _changed_at: int) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()[:16]
