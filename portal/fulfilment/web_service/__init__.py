"""Asks the vendor's web service for the licenses. For the vendor's developers: docs/web-service.md.

One conversation, from `settings` and `message` over `connection` to `reading`; it knows neither
database nor order.
"""

from portal.fulfilment.web_service.conversation import Conversation, obtain, try_it
from portal.fulfilment.web_service.settings import Method, Parameter, Settings

__all__ = [
    "Conversation",
    "Method",
    "Parameter",
    "Settings",
    "obtain",
    "try_it",
]
