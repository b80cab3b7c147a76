"""What every answer says to the browser about itself."""

import secrets

from flask import Flask, Response, g, request

# htmx writes with a Trusted Types policy that its hx-csp extension makes; ours never write HTML.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types htmx"
)

YEAR = 365 * 24 * 3600

HEADERS = {
    "X-Written-By": "Keydesk",  # portal.js takes nothing else into a page: a proxy answers as well
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


def init_app(app: Flask) -> None:
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    app.after_request(_say)


def csp_nonce() -> str:
    """The nonce of this answer: what carries it was written by us."""
    nonce: str | None = g.get("csp_nonce")
    if nonce is None:
        nonce = g.csp_nonce = secrets.token_urlsafe(16)
    return nonce


def _say(response: Response) -> Response:
    response.headers.extend(HEADERS)
    response.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=csp_nonce()))
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR}"
    if request.endpoint != "static" or response.status_code >= 400:
        # Pages and JSON show licenses and addresses: no copy of them stays behind.
        response.headers["Cache-Control"] = "no-store"
    return response
