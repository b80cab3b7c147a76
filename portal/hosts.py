"""By which names the portal may be asked: those that somebody set, and the number of its machine.

A web page elsewhere can have its own name lead to this machine, and a browser then takes the portal
for a part of that page (DNS rebinding). It cannot do that with a number, by which a load balancer
asks whether the portal is there, nor leave the name out.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from werkzeug.exceptions import SecurityError
from werkzeug.sansio.utils import host_is_trusted


def init_app(app: Flask) -> None:
    app.before_request(_known_names_only)


def _known_names_only() -> None:
    host = request.headers.get("Host")
    if host is not None and not (_is_number(host) or host_is_trusted(host.lower(), _names())):
        raise SecurityError


def _names() -> list[str]:
    portal = urlsplit(current_app.config["PORTAL_URL"]).hostname or ""
    return [portal, "localhost", *map(str.lower, current_app.config["PORTAL_HOSTS"])]


def _is_number(host: str) -> bool:
    try:
        ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return host_is_trusted(host)
