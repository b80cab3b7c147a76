"""A failure becomes a page, or a notice inside the page that asked."""

import logging

from flask import Flask, render_template, request
from flask_babel import gettext as _
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from portal.extensions import db

log = logging.getLogger(__name__)

Answer = tuple[str, int, dict[str, str]]


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(OperationalError, _database_unavailable)


def _answer(error: HTTPException) -> Answer:
    code = error.code or 500
    if code >= 500:
        db.session.rollback()
    headers = {name: value for name, value in error.get_headers() if name == "Retry-After"}
    if isinstance(error, RateLimitExceeded):
        headers["Retry-After"] = str(_seconds_to_wait(error))
    title, advice = _words(error, code)
    shown = {"code": code, "title": title, "advice": advice}
    if "HX-Request" in request.headers:
        headers |= {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML", "HX-Reselect": "unset"}
        return render_template("errors/_notice.html", **shown), code, headers
    return render_template("errors/show.html", **shown), code, headers


def _database_unavailable(error: OperationalError) -> Answer:
    log.error("The database did not do its work: %s", error.orig)
    return _answer(ServiceUnavailable())


def _seconds_to_wait(error: RateLimitExceeded) -> int:
    return error.limit.limit.get_expiry() if error.limit else 60


def _words(error: HTTPException, code: int) -> tuple[str, str]:
    if isinstance(error, CSRFError):
        return (
            _("This form is no longer valid"),
            _("Reload the page and try again. Nothing was done."),
        )
    known = {
        400: (_("That request was not understood"), _("Go back and try again.")),
        403: (_("You may not do that"), _("Ask an operator if you should be able to.")),
        404: (
            _("There is nothing here"),
            _("The address may be mistyped, or this may not be yours to see."),
        ),
        405: (_("That cannot be done here"), _("Go back and try again.")),
        413: (_("That is too large"), _("Send less at once.")),
        429: (
            _("Too many attempts"),
            _("Wait some minutes, and then try again. Resetting your password does not help."),
        ),
        503: (
            _("Keydesk is busy"),
            _("The database did not answer in time. Try again in a moment. Nothing was lost."),
        ),
    }
    unexpected = (
        _("Something went wrong on our side"),
        _("It has been written down. Try again, and tell an operator if it stays."),
    )
    return known.get(code, unexpected)
