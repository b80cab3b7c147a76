"""Who has to sign in is led to the sign-in page, and back to where they were."""

import re
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_security import current_user as signed_in_user
from werkzeug.wrappers import Response as BaseResponse

from portal import interrupted_searches
from portal.database.reading import SAFE_METHODS
from portal.models.staff import one_form_of
from portal.page_notice import on_the_page

# Reached without signing in; a test walks every other route as a stranger.
PUBLIC = {"static", "security.login", "security.forgot_password", "security.reset_password"}

# An address of the portal, of the signs that RFC 3986 has for a path and a query. Browsers take
# “/\host” for another host.
OURS = re.compile(r"/(?!/)[\w.~!$&'()*+,;=:@/?%-]*", re.ASCII)


def init_app(app: Flask) -> None:
    app.before_request(_lead_on)
    app.after_request(_lead_htmx_along)
    app.extensions["security"].unauthn_handler(lambda *_ways, headers: to_sign_in())
    app.add_url_rule("/", "home", lambda: redirect(url_for("orders.index")))


def answer_to_old_form() -> BaseResponse | None:
    """The answer to a form that was good before its session ended, or before its person signed in
    somewhere else; None where it was never good."""
    if not signed_in_user.is_authenticated:
        return None if request.endpoint in PUBLIC else to_sign_in()
    if interrupted_searches.keep():
        return redirect(url_for("searches.show"))
    return _lead_on()


def _lead_on() -> BaseResponse | None:
    """The way on from a sign-in page, for who has signed in on another one; whoever else types
    their address there is told whose session this is."""
    if request.endpoint != "security.login" or not signed_in_user.is_authenticated:
        return None
    email = signed_in_user.email
    if one_form_of(request.form.get("email", email)) != email:
        note = _("%(email)s is signed in here. Sign out to sign in as somebody else.", email=email)
        flash(note, "error")
        return redirect(url_for("orders.index"))
    address = request.args.get("next", "")
    return redirect(address if OURS.fullmatch(address) else url_for("orders.index"))


def to_sign_in() -> BaseResponse:
    """The sign-in page, which leads back to the page that the person was on, and says so where
    something else than a page was asked for. A search goes on afterwards; what was typed into
    another form of htmx stays where it is."""
    if interrupted_searches.keep():
        flash(_("You are no longer signed in. Sign in, and your search goes on."), "note")
        return redirect(url_for("security.login", next=url_for("searches.show")))
    if request.method not in SAFE_METHODS and "HX-Request" in request.headers:
        title = _("You are no longer signed in, so nothing was done")
        advice = _("Sign in in another tab, and then press the button again: this page stays.")
        return on_the_page(403, title, advice, may_sign_in=True)
    if not _asks_for_page():
        flash(_("You are no longer signed in, so nothing was done. Sign in to go on."), "note")
    return redirect(url_for("security.login", next=_page_they_are_on()))


def _page_they_are_on() -> str | None:
    """Its address without the host. What asked may have been a fragment of it or a form on it, and
    neither is a page to come back to."""
    if _asks_for_page():
        return request.full_path.rstrip("?")
    try:
        page = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    except ValueError:
        return None
    return urlunsplit(("", "", page.path, page.query, "")) if page.netloc == request.host else None


def _asks_for_page() -> bool:
    return request.method in SAFE_METHODS and "HX-Request" not in request.headers


def _lead_htmx_along(response: Response) -> Response:
    """A redirect under htmx would be followed inside its request and end up in a fragment's place;
    the person means to go to that page."""
    if "HX-Request" in request.headers and response.status_code in (301, 302, 303, 307, 308):
        response.headers["HX-Redirect"] = response.headers.pop("Location")
        response.status_code = 200
        response.set_data("")
    return response
