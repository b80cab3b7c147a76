"""The limits of Flask-Limiter where they are asked by name alone, see rate_limits.py."""

from flask_limiter import Limiter


class NamedLimits(Limiter):
    """Flask-Limiter's, without its look for limits of each view before each request, which takes
    a thirtieth of a page."""

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)
