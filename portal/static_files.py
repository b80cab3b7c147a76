"""Static files stay in the browser for a year: their addresses change with what is in them."""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for
from flask.sessions import SecureCookieSessionInterface, SessionMixin

YEAR = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    app.session_interface = SessionOfPages()
    app.jinja_env.globals["static_urls"] = static_urls
    app.extensions["static_urls"] = {}
    app.url_defaults(_add_digest)
    app.after_request(_let_it_stay)


class SessionOfPages(SecureCookieSessionInterface):
    """Static files have no part in the session: with `Vary: Cookie` a browser would fetch them
    again after each sign-in."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint != "static":
            super().save_session(app, session, response)


class Urls(dict[str, str]):
    """The addresses of static files by their names, each looked up once: a page has six of them,
    which would take as long as finding its order."""

    def __missing__(self, filename: str) -> str:
        self[filename] = url_for("static", filename=filename)
        return self[filename]


def static_urls() -> Urls:
    """The addresses of static files where the portal is asked."""
    app, root = current_app, request.script_root
    by_root: dict[str, Urls] = app.extensions["static_urls"]
    if root not in by_root or app.debug:
        by_root[root] = Urls()
    return by_root[root]


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
        return _digest_of(path, Path(path).stat().st_mtime_ns)
    except (OSError, ValueError):  # there is none, or no file has such a name
        return None


@lru_cache(maxsize=100)
def _digest_of(path: str, _changed_at: int) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()[:16]
