"""A word on the page that asked under htmx, instead of what it asked for: all that was on the page
stays there, and so does what was typed."""

from flask import make_response, render_template
from werkzeug.wrappers import Response

INTO_NOTICE = {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML", "HX-Reselect": ".notice"}


def on_the_page(code: int, title: str, advice: str, *, may_sign_in: bool = False) -> Response:
    """An answer with this `code`, and a way to the sign-in page for who `may_sign_in`."""
    shown = {"title": title, "advice": advice, "may_sign_in": may_sign_in}
    return make_response(render_template("errors/_notice.html", **shown), code, INTO_NOTICE)
