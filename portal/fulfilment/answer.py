"""What a tool is asked, and what it may answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask_babel import gettext as _


@dataclass(frozen=True)
class LicenseRequest:
    """One item that wants `quantity` licenses. `id` stays the same through retries; `parameters`
    are the documented ones by their documented names, see docs/web-service.md."""

    id: str
    item_id: int
    product_id: int
    quantity: int
    parameters: dict[str, str]
    is_test: bool = False


@dataclass(frozen=True)
class Licenses:
    """The licenses; `sources` are the ids of those that came from a pool. Unless it `is_all`, the
    rest follows once there is more."""

    texts: list[str]
    sources: list[int] | None = None
    is_all: bool = True


@dataclass(frozen=True)
class DoneElsewhere:
    """There is nothing to save: the vendor mails the licenses, or a mail says all there is."""

    email: bool = False


@dataclass(frozen=True)
class Waits:
    """Something has to happen first; `until` is when to look again, None if no clock says.
    `notify` is whom to mail where the vendor has to do it, if not the address of the page."""

    reason: "Failure"
    detail: str | None = None
    until: datetime | None = None
    notify: str = ""


@dataclass(frozen=True)
class Trouble:
    """It did not work; what `is_temporary` is worth another try, in `retry_after` seconds or later
    if that is said. Where it `is_outage`, the other side fails whatever it is asked."""

    failure: "Failure"
    detail: str | None = None
    is_temporary: bool = True
    retry_after: int | None = None
    is_outage: bool = False


Answer = Licenses | DoneElsewhere | Waits | Trouble


class Failure(StrEnum):
    """Why there are no licenses yet."""

    SERVICE_UNREACHABLE = "service_unreachable"
    SERVICE_TIME_OUT = "service_time_out"
    SERVICE_REFUSED = "service_refused"
    SERVICE_BUSY = "service_busy"
    SERVICE_RESTS = "service_rests"
    ANSWER_UNUSABLE = "answer_unusable"
    LICENSE_KNOWN = "license_known"
    ADDRESS_FORBIDDEN = "address_forbidden"
    POOL_EMPTY = "pool_empty"
    LICENSE_AWAITED = "license_awaited"
    TOOL_NOT_SET_UP = "tool_not_set_up"
    TEXT_MISSING = "text_missing"
    TOOL_BROKE_DOWN = "tool_broke_down"
    ATTEMPT_LOST = "attempt_lost"

    @property
    def what(self) -> str:
        """The reason, for staff. What to do about it depends on where the item stands by then, and
        on who reads it: portal/models/standing.py."""
        return _reasons()[self]


def _reasons() -> dict[Failure, str]:
    return {
        Failure.SERVICE_UNREACHABLE: _("The vendor’s web service cannot be reached."),
        Failure.SERVICE_TIME_OUT: _("The vendor’s web service did not answer in time."),
        Failure.SERVICE_REFUSED: _("The vendor’s web service refused the request."),
        Failure.SERVICE_BUSY: _("The vendor’s web service asks to try again later."),
        Failure.SERVICE_RESTS: _(
            "The vendor’s web service failed several times in a row, and is asked less often."
        ),
        Failure.ANSWER_UNUSABLE: _("The answer of the vendor’s web service cannot be used."),
        Failure.LICENSE_KNOWN: _("What came is a license that the item has had before."),
        Failure.ADDRESS_FORBIDDEN: _("The address of the vendor’s web service is not allowed."),
        Failure.POOL_EMPTY: _("The pool has too few licenses."),
        Failure.LICENSE_AWAITED: _("The vendor’s staff have to enter the license."),
        Failure.TOOL_NOT_SET_UP: _("The fulfilment tool is not set up."),
        Failure.TEXT_MISSING: _("No text was written for the e-mail."),
        Failure.ATTEMPT_LOST: _("The portal ended while it was at work on this."),
        Failure.TOOL_BROKE_DOWN: _("Something unexpected went wrong."),
    }
