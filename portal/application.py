"""What the portal is as an application of Flask."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from portal.templating import Environment


class Portal(Flask):
    """Flask with our templates, and without coroutines: there are none among its functions, and
    Flask would look at each of the thirty that a request calls."""

    jinja_environment = Environment

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """`func`, as it is."""
        return func
