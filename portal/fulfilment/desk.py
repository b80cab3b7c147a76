"""Works on one item: claims it, asks its tool, and writes down what the tool answered.

Three transactions: the claim, whatever the tool does by itself, the outcome. None is open while a
vendor is asked. A worker that dies in between leaves a claim that runs out, and the next one asks
again with the same request id.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType

from pydantic import ValidationError

from portal.extensions import db
from portal.fulfilment import information, license_request, pool, web_service, worklist
from portal.fulfilment.answer import Answer, Failure, LicenseRequest, Trouble
from portal.fulfilment.parameters import license_request_of
from portal.models import Fulfilment
from portal.models.product import Tool

log = logging.getLogger(__name__)

TOOLS: dict[Tool, ModuleType] = {
    Tool.WEB_SERVICE: web_service,
    Tool.POOL: pool,
    Tool.INFORMATION: information,
    Tool.LICENSE_REQUEST: license_request,
}


@dataclass(frozen=True)
class Done:
    """What came of one attempt: the delivery that is to be sent, and when to try (again)."""

    delivery_id: int | None = None
    due_at: datetime | None = None


def fulfil(fulfilment_id: int) -> Done:
    """Obtain the licenses of one item, if that is due."""
    fulfilment = worklist.claim(fulfilment_id)
    if fulfilment is None:
        db.session.commit()
        return Done()
    request, attempt = license_request_of(fulfilment), fulfilment.attempts
    tool, settings = fulfilment.product.tool, fulfilment.product.settings
    db.session.commit()
    answer = _ask(tool, request, settings)
    return _write_down(fulfilment_id, attempt, answer)


def _ask(tool: Tool | None, request: LicenseRequest, settings: dict[str, object]) -> Answer:
    if tool is None:
        return Trouble(Failure.TOOL_NOT_SET_UP, is_temporary=False)
    try:
        checked = TOOLS[tool].Settings.model_validate(settings)
    except ValidationError:
        return Trouble(Failure.TOOL_NOT_SET_UP, is_temporary=False)
    try:
        answer: Answer = TOOLS[tool].obtain(request, checked)
    except Exception:
        db.session.rollback()
        log.exception("The tool %s broke down over the request %s", tool, request.id)
        return Trouble(Failure.TOOL_BROKE_DOWN)
    return answer


def _write_down(fulfilment_id: int, attempt: int, answer: Answer) -> Done:
    fulfilment = db.session.get_one(Fulfilment, fulfilment_id)
    fulfilment.item.order.lock()
    if not fulfilment.is_at(attempt):  # it took so long that somebody else took over
        db.session.rollback()
        return Done()
    delivery = fulfilment.take(answer)
    db.session.commit()
    return Done(delivery.id if delivery else None, fulfilment.due_at)
