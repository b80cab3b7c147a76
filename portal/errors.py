"""A failure becomes a page, a notice inside the page that asked, or JSON for programs.

None of these needs the database: it may be what failed.
"""

import logging
from errno import EDQUOT, EFBIG, ENOSPC
from types import TracebackType
from typing import cast

from flask import Flask, jsonify, make_response, render_template, request
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable
from werkzeug.wrappers import Response

from portal import rate_limits, sessions
from portal.access import sign_in
from portal.database.failures import UNAVAILABLE, first_line, has_no_room, is_unavailable
from portal.error_words import NoRoom, in_words
from portal.extensions import db
from portal.page_notice import on_the_page
from portal.unexpected import write_down

log = logging.getLogger(__name__)

FOR_PROGRAMS = ("/api/", "/hooks/")
# Seconds after which a program may try again what the database was too busy for.
SOON = 10
# What the system says when a disk is full, or when we have had our share of it.
FULL = (ENOSPC, EDQUOT, EFBIG)
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, _answer)
    for error in UNAVAILABLE:
        app.register_error_handler(error, _database_failed)
    app.register_error_handler(OSError, _file_failed)
    app.log_exception = _write_down  # type: ignore[method-assign,assignment]


def _database_failed(error: Exception) -> Response:
    if not is_unavailable(error):
        _write_down((type(error), error, cast(TracebackType, error.__traceback__)))
        return _answer(InternalServerError())
    log.error("The database did not do its work: %s", first_line(error))
    failure = NoRoom if has_no_room(error) else ServiceUnavailable
    return _answer(failure(retry_after=SOON))


def _file_failed(error: OSError) -> Response:
    """What people send may have to be kept in files, by us or by who reads the request for us."""
    if error.errno not in FULL:
        raise error  # as any fault of ours
    log.error("A file could not be written: %s", error.strerror)
    return _answer(NoRoom(retry_after=SOON))


def _answer(error: HTTPException) -> Response:
    cause = getattr(error, "original_exception", None)
    if cause is not None and is_unavailable(cause):
        return _database_failed(cause)
    if isinstance(error, CSRFError) and (answer := sign_in.answer_to_old_form()):
        return answer
    code = error.code or 500
    if code >= 500:
        db.session.rollback()
        sessions.asks_as(None)  # to know them would take the database
    # Asked before a page asks who is signed in, whose transaction this would wait for on SQLite.
    wait = rate_limits.seconds_to_wait() if isinstance(error, RateLimitExceeded) else None
    response = _shown(error, code, wait)
    for name, value in error.get_headers():
        if name in KEPT_HEADERS:
            response.headers[name] = value
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response


def _shown(error: HTTPException, code: int, wait: int | None) -> Response:
    words = in_words(error, code, wait)
    if request.path.startswith(FOR_PROGRAMS):
        response = jsonify(error=words.word, because=f"{words.title}. {words.advice}")
        response.status_code = code
        return response
    if "HX-Request" in request.headers:
        return on_the_page(code, words.title, words.advice)
    shown = {"code": code, "title": words.title, "advice": words.advice}
    return make_response(render_template("errors/show.html", **shown), code)


def _write_down(
    failure: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None],
) -> None:
    if failure[1]:
        write_down(log, f"{request.method} {request.endpoint} failed", failure[1])
