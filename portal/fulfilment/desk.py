"""Works on one item: claims it, asks its tool, and writes down what the tool answered.

Three transactions: the claim, whatever the tool does by itself, the outcome. None is open while a
vendor is asked. A worker that dies in between leaves a claim that runs out, and the next one asks
again with the same request id.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType

from pydantic import BaseModel, ValidationError

from portal.extensions import db
from portal.fulfilment import information, license_request, pool, web_service, worklist
from portal.fulfilment.answer import Answer, Failure, LicenseRequest, Trouble
from portal.fulfilment.parameters import license_request_of
from portal.models import Delivery, Endpoint, Fulfilment, Notice
from portal.models.fulfilment import Attempt
from portal.models.product import Tool
from portal.vault import Unreadable

log = logging.getLogger(__name__)

TOOLS: dict[Tool, ModuleType] = {
    Tool.WEB_SERVICE: web_service,
    Tool.POOL: pool,
    Tool.INFORMATION: information,
    Tool.LICENSE_REQUEST: license_request,
}


@dataclass(frozen=True)
class Done:
    """What came of one attempt: the e-mail that is to be sent, and when to try (again)."""

    delivery_id: int | None = None
    notice_id: int | None = None
    due_at: datetime | None = None


def fulfil(fulfilment_id: int) -> Done:
    """Obtain the licenses of one item, if that is due."""
    fulfilment = worklist.claim(fulfilment_id)
    db.session.commit()
    if fulfilment is None:
        return Done()
    attempt = fulfilment.attempt
    try:
        return _try(fulfilment, attempt)
    except Exception:  # whatever it is, it holds up nobody else, and is tried later
        db.session.rollback()
        log.exception("The fulfilment %s broke down", fulfilment_id)
        return _write_down(fulfilment_id, attempt, Trouble(Failure.TOOL_BROKE_DOWN), None)


def _try(fulfilment: Fulfilment, attempt: Attempt) -> Done:
    fulfilment.item.order.lock()
    request = license_request_of(fulfilment)
    tool, settings = fulfilment.product.tool, _settings_of(fulfilment)
    origin = getattr(settings, "origin", None)
    if origin and fulfilment.is_at(attempt) and (turn_at := Endpoint.turn(origin)):
        fulfilment.let_rest(turn_at)
        db.session.commit()
        return Done(due_at=turn_at)
    db.session.commit()
    answer = _ask(tool, request, settings)
    return _write_down(fulfilment.id, attempt, answer, origin)


def _settings_of(fulfilment: Fulfilment) -> BaseModel | None:
    """What the operator set for the tool; None if that will not do."""
    tool = fulfilment.product.tool
    try:
        return TOOLS[tool].Settings.model_validate(fulfilment.product.settings) if tool else None
    except (ValidationError, Unreadable):
        log.exception("The settings of the product %s cannot be used", fulfilment.product_id)
        return None


def _ask(tool: Tool | None, request: LicenseRequest, settings: BaseModel | None) -> Answer:
    if tool is None or settings is None:
        return Trouble(Failure.TOOL_NOT_SET_UP, is_temporary=False)
    try:
        answer: Answer = TOOLS[tool].obtain(request, settings)
    except Exception:
        db.session.rollback()
        log.exception("The tool %s broke down over the request %s", tool, request.id)
        return Trouble(Failure.TOOL_BROKE_DOWN)
    return answer


def _write_down(fulfilment_id: int, attempt: Attempt, answer: Answer, origin: str | None) -> Done:
    fulfilment = db.session.get_one(Fulfilment, fulfilment_id)
    fulfilment.item.order.lock()
    if not fulfilment.is_at(attempt):  # it took so long that somebody else took over
        db.session.rollback()
        return Done()
    email = fulfilment.take(answer)
    if origin:
        _remember(origin, answer)
    db.session.commit()
    return Done(
        delivery_id=email.id if isinstance(email, Delivery) else None,
        notice_id=email.id if isinstance(email, Notice) else None,
        due_at=fulfilment.due_at,
    )


def _remember(origin: str, answer: Answer) -> None:
    """Whether the other side of a tool is up, for all who ask it."""
    if isinstance(answer, Trouble) and answer.failure.is_outage:
        Endpoint.failed(origin)
    elif not isinstance(answer, Trouble) or answer.failure is not Failure.ADDRESS_FORBIDDEN:
        Endpoint.answered(origin)
