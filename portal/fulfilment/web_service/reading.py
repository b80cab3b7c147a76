"""What the answer of a web service means. The details are for the history: they never say what the
answer holds, which may be a license or something about the customer."""

from http import HTTPStatus

from flask_babel import gettext as _

from portal.fulfilment.answer import Answer, DoneElsewhere, Failure, Licenses, Trouble
from portal.fulfilment.web_service.exchange import Received
from portal.fulfilment.web_service.licenses import Unusable, licenses_in
from portal.fulfilment.web_service.settings import Settings
from portal.fulfilment.web_service.values import finds

# Beside those of 500 and above. ACCEPTED says that the licenses are still being made.
TEMPORARY = {
    HTTPStatus.ACCEPTED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
WITH_LICENSES = {HTTPStatus.OK, HTTPStatus.CREATED}


def read(received: Received, settings: Settings, *, quantity: int) -> Answer:
    """What to make of `received`, the answer to a request for `quantity` licenses."""
    said = _status_line(received.status)
    if _is_marked_as_temporary(received, settings):
        reason = _("the answer matches the pattern of temporary errors")
        return _asks_to_wait(received, f"{said}: {reason}")
    if settings.vendor_mails and 200 <= received.status < 300:
        return DoneElsewhere()
    if received.status >= 500 or received.status in TEMPORARY:
        return _asks_to_wait(received, _with_wish(said, received.retry_after))
    if 300 <= received.status < 400:
        reason = _("a redirect, which is not followed")
        return Trouble(Failure.SERVICE_REFUSED, f"{said}: {reason}", is_temporary=False)
    if not 200 <= received.status < 300:
        return Trouble(Failure.SERVICE_REFUSED, said, is_temporary=False)
    if received.status not in WITH_LICENSES:
        return Trouble(Failure.ANSWER_UNUSABLE, said, is_temporary=False)
    try:
        return Licenses(licenses_in(received, quantity=quantity))
    except Unusable as reason:
        return Trouble(Failure.ANSWER_UNUSABLE, f"{said}: {reason}", is_temporary=False)


def _is_marked_as_temporary(received: Received, settings: Settings) -> bool:
    if not settings.temporary_pattern:
        return False
    return finds(settings.temporary_pattern)(received.body.decode(errors="replace"))


def _asks_to_wait(received: Received, said: str) -> Trouble:
    """Whoever says that one item has no license yet may well have one for the next."""
    is_outage = received.status >= 500 or received.status == HTTPStatus.TOO_MANY_REQUESTS
    return Trouble(
        Failure.SERVICE_BUSY, said, retry_after=received.retry_after, is_outage=is_outage
    )


def _with_wish(said: str, seconds: int | None) -> str:
    if seconds is None:
        return said
    wish = _("try again after %(seconds)d seconds", seconds=seconds)
    return f"{said}: {wish}"


def _status_line(status: int) -> str:
    """Such as 'HTTP 503 Service Unavailable', in the words of the standard and not of the server,
    whose own might hold anything."""
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"
