"""Asks the vendor's web service, and says what came of it."""

import ssl
from dataclasses import dataclass, replace

import httpcore
from flask_babel import gettext as _

from portal.fulfilment.answer import Answer, Failure, LicenseRequest, Trouble
from portal.fulfilment.web_service.connection import AddressForbidden
from portal.fulfilment.web_service.exchange import Received, exchange
from portal.fulfilment.web_service.message import Message, compose
from portal.fulfilment.web_service.reading import read
from portal.fulfilment.web_service.settings import Settings

TEST = "test_"


@dataclass(frozen=True)
class Conversation:
    """What was `sent`, what was `received` if anything was, and what it comes to."""

    sent: Message
    received: Received | None
    answer: Answer


def obtain(request: LicenseRequest, settings: Settings) -> Answer:
    """The licenses that `request` wants, from the web service of `settings`."""
    return _converse(request, settings).answer


def try_it(settings: Settings, request: LicenseRequest) -> Conversation:
    """Send `request` as a test: it says so in a header and, where the signature covers it, in its
    id. What comes back is for the operator's eyes alone: it may hold licenses."""
    marked = replace(request, id=TEST + request.id.removeprefix(TEST), is_test=True)
    return _converse(marked, settings)


def _converse(request: LicenseRequest, settings: Settings) -> Conversation:
    message = compose(request, settings)
    try:
        received = exchange(message, settings)
    except AddressForbidden:
        trouble = Trouble(Failure.ADDRESS_FORBIDDEN, settings.url.host, is_temporary=False)
    except httpcore.TimeoutException:
        detail = _("no complete answer within %(seconds)d seconds", seconds=settings.time_out)
        trouble = Trouble(Failure.SERVICE_TIME_OUT, detail, is_outage=True)
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
        trouble = Trouble(Failure.SERVICE_UNREACHABLE, _reason(error), is_outage=True)
    else:
        return Conversation(message, received, read(received, settings, quantity=request.quantity))
    return Conversation(message, None, trouble)


def _reason(error: Exception) -> str:
    """What happened to the connection, in the words of this machine and never of the other one."""
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _("its certificate is not good: %(reason)s", reason=cause.verify_message)
    if isinstance(cause, ssl.SSLError):
        return _("no encrypted connection: %(reason)s", reason=cause.reason or "TLS")
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return _("the connection ended before the answer did")
