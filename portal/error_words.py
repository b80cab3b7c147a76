"""What a failure is called: a word for programs, a title and an advice for people."""

from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from flask_babel import ngettext as _n
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError, ServiceUnavailable


class NoRoom(ServiceUnavailable):
    """A disk is full: the database's, or the one for files that people send."""


@dataclass(frozen=True)
class Words:
    word: str
    title: str
    advice: str


# Title and advice are lazy: they become words when they are shown.
OF_KINDS = {
    CSRFError: (
        "form_expired",
        _("This form is no longer valid"),
        _("Reload the page and try again. Nothing was done."),
    ),
    SecurityError: (
        "unknown_host",
        _("The portal is not known by this name"),
        _("Use the address that you were given. An operator sets it as PORTAL_URL."),
    ),
    NoRoom: (
        "no_room",
        _("Keydesk cannot write anything down"),
        _(
            "A disk that it writes to is full: tell an operator. Once there is room, try "
            "again; if you were sending a license, look at the order history first."
        ),
    ),
}
OF_CODES = {
    400: ("bad_request", _("That request was not understood"), _("Go back and try again.")),
    401: (
        "unauthorized",
        _("Who is asking is not known"),
        _("Sign the request with the header “Authorization: Bearer” and a token."),
    ),
    403: ("forbidden", _("You may not do that"), _("Ask an operator if you should be able to.")),
    404: (
        "not_found",
        _("There is nothing here"),
        _("The address may be mistyped, or this may not be yours to see."),
    ),
    405: ("method_not_allowed", _("That cannot be done here"), _("Go back and try again.")),
    413: ("too_large", _("That is too large"), _("Send less at once.")),
    415: (
        "unsupported_media_type",
        _("That kind of content is not understood here"),
        _("Go back and try again."),
    ),
    429: (
        "too_many_requests",
        _("Too many attempts"),
        _("Wait some minutes, and then try again."),
    ),
    503: (
        "unavailable",
        _("Keydesk is busy"),
        _(
            "The database did not answer in time. Try again in a moment; "
            "if you were sending a license, look at the order history first."
        ),
    ),
}
UNEXPECTED = (
    "unexpected",
    _("Something went wrong on our side"),
    _("It has been written down. Try again, and tell an operator if it stays."),
)


def in_words(error: HTTPException, code: int, wait: int | None = None) -> Words:
    """The words for `error`, which is answered with the status `code`; `wait` are the seconds until
    what was tried is allowed again, where that is known."""
    of_kind = (words for kind, words in OF_KINDS.items() if isinstance(error, kind))
    word, title, advice = next(of_kind, OF_CODES.get(code, UNEXPECTED))
    if wait is not None:
        advice = _n(
            "Wait a minute, and try again.", "Wait %(num)s minutes, and try again.", -(-wait // 60)
        )
    return Words(word, str(title), str(advice))
