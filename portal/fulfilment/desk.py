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

from portal import lanes
from portal.database.failures import first_line, is_unavailable, keep_trying
from portal.extensions import db
from portal.fulfilment import information, license_request, pool, web_service, worklist
from portal.fulfilment.answer import Answer, Failure, LicenseRequest, Trouble
from portal.fulfilment.parameters import license_request_of
from portal.models import Delivery, Endpoint, Fulfilment, FulfilmentState, Item, Notice, Staff
from portal.models.fulfilment import Attempt
from portal.models.product import Tool
from portal.unexpected import write_down
from portal.vault import Unreadable

log = logging.getLogger(__name__)

TOOLS: dict[Tool, ModuleType] = {
    Tool.WEB_SERVICE: web_service,
    Tool.POOL: pool,
    Tool.INFORMATION: information,
    Tool.LICENSE_REQUEST: license_request,
}

# What went wrong before the other side was asked says nothing about it.
OF_OUR_SIDE = {Failure.ADDRESS_FORBIDDEN, Failure.TOOL_BROKE_DOWN}


@dataclass(frozen=True)
class Done:
    """What came of one attempt: the e-mail that is to be sent, and when to try (again)."""

    delivery_id: int | None = None
    notice_id: int | None = None
    due_at: datetime | None = None


def try_now(item: Item, *, by: Staff) -> Fulfilment:
    """Have the licenses of `item` asked for at once, even where the other side of its tool rests.
    Raises Refused."""
    fulfilment = Fulfilment.try_now(item, by=by)
    if origin := _origin_of(_settings_of(fulfilment)):
        Endpoint.probe_now(origin)
    return fulfilment


def fulfil(fulfilment_id: int) -> Done:
    """Obtain the licenses of one item, if that is due."""
    fulfilment = worklist.claim(fulfilment_id)
    attempt = fulfilment.attempt if fulfilment else (None, 0)
    db.session.commit()
    if fulfilment is None:
        return Done()
    try:
        return _try(fulfilment, attempt)
    except Exception as error:  # whatever it is, it holds up nobody else, and is tried later
        db.session.rollback()
        if is_unavailable(error):
            why = first_line(error)
            log.error("The database failed during a fulfilment: %s", why)
        else:
            write_down(log, f"The fulfilment {fulfilment_id} broke down", error)
        return _write_down(fulfilment_id, attempt, Trouble(Failure.TOOL_BROKE_DOWN), None)


def _try(fulfilment: Fulfilment, attempt: Attempt) -> Done:
    fulfilment.item.order.lock()
    if not fulfilment.is_at(attempt):
        return _come_too_late(fulfilment)
    if fulfilment.refusal():
        fulfilment.stand_down()
        db.session.commit()
        return Done()
    request = license_request_of(fulfilment)
    tool, settings = fulfilment.product.tool, _settings_of(fulfilment)
    origin = _origin_of(settings)
    with lanes.enter(origin) as full_until:
        if full_until:
            fulfilment.put_back(full_until)
            db.session.commit()
            return Done(due_at=full_until)
        if origin and (turn_at := Endpoint.turn(origin)):
            return _commit(fulfilment, fulfilment.let_rest(turn_at))
        fulfilment_id = fulfilment.id
        db.session.commit()
        answer = _ask(tool, request, settings)
    return keep_trying(db.session(), lambda: _write_down(fulfilment_id, attempt, answer, origin))


def _settings_of(fulfilment: Fulfilment) -> BaseModel | None:
    """What the operator set for the tool; None if that will not do."""
    tool = fulfilment.product.tool
    try:
        return TOOLS[tool].Settings.model_validate(fulfilment.product.settings) if tool else None
    except (ValidationError, Unreadable) as error:
        what = f"The settings of the product {fulfilment.product_id} cannot be used"
        write_down(log, what, error)
        return None


def _origin_of(settings: BaseModel | None) -> str | None:
    """Which other side is asked, for a tool that asks one."""
    return getattr(settings, "origin", None)


def _ask(tool: Tool | None, request: LicenseRequest, settings: BaseModel | None) -> Answer:
    if tool is None or settings is None:
        return Trouble(Failure.TOOL_NOT_SET_UP, is_temporary=False)
    try:
        answer: Answer = TOOLS[tool].obtain(request, settings)
    except Exception as error:
        db.session.rollback()
        if is_unavailable(error):
            raise
        write_down(log, f"The tool {tool} broke down over the request {request.id}", error)
        return Trouble(Failure.TOOL_BROKE_DOWN)
    return answer


def _write_down(fulfilment_id: int, attempt: Attempt, answer: Answer, origin: str | None) -> Done:
    fulfilment = db.session.get_one(Fulfilment, fulfilment_id)
    fulfilment.item.order.lock()
    if not fulfilment.is_at(attempt):
        return _come_too_late(fulfilment)
    email = fulfilment.take(answer)
    if origin:
        _remember(origin, answer)
    return _commit(fulfilment, email)


def _commit(fulfilment: Fulfilment, email: Delivery | Notice | None) -> Done:
    db.session.flush()  # the e-mail has its id from now on
    done = Done(
        delivery_id=email.id if isinstance(email, Delivery) else None,
        notice_id=email.id if isinstance(email, Notice) else None,
        due_at=fulfilment.due_at,
    )
    db.session.commit()  # nothing is read after that: it would keep others from writing once more
    return done


def _come_too_late(fulfilment: Fulfilment) -> Done:
    """Somebody else has taken over, because it took so long; what was taken from a pool after that
    is nobody's where the item has all it needs by now."""
    if fulfilment.state is FulfilmentState.DONE:
        pool.give_back(fulfilment.item_id)
    db.session.rollback()
    return Done()


def _remember(origin: str, answer: Answer) -> None:
    """Whether the other side of a tool is up, for all who ask it."""
    if not isinstance(answer, Trouble):
        Endpoint.answered(origin)
    elif answer.is_outage:
        Endpoint.failed(origin)
    elif answer.failure not in OF_OUR_SIDE:
        Endpoint.answered(origin)
