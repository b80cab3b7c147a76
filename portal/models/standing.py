"""Where an item stands on its way to its licenses, in words, and what comes next.

It is also the reason why an item without licenses has no Resend: one rule for both.
"""

from flask_babel import gettext as _
from flask_babel import ngettext

from portal import clock
from portal.formats import clock_time
from portal.fulfilment.answer import Failure
from portal.models.fulfilment import Fulfilment, FulfilmentState
from portal.models.item import Item
from portal.models.pool_license import PoolWait
from portal.models.product import Tool
from portal.models.refusal import Refusal


class Standing(Refusal):
    """What keeps an item from having its licenses: a word, a sentence, and the next step."""

    @property
    def leads_to_product(self) -> bool:
        """Whether an operator mends it on the page of the product."""
        return self.word in {"no_tool", "pool_empty", "failed"}


def of(item: Item) -> Standing | None:
    """Where `item` stands, or None when its licenses say all there is to say."""
    fulfilment = item.fulfilment
    if item.refunded_at or not item.order.status.is_paid:
        return None if item.licenses else _never(item)
    if item.fulfilled_at:
        return None if item.licenses else _without_license(fulfilment)
    if fulfilment is None:
        return None if item.licenses else _not_begun()
    return _on_its_way(fulfilment)


def _never(item: Item) -> Standing:
    if item.refunded_at:
        return Standing(
            "license_revoked",
            _("The item was refunded before a license was saved."),
            _("There is nothing to send."),
        )
    if item.order.status.is_open:
        return Standing(
            "order_not_paid",
            _("There is no license yet, because the order is not paid."),
            _("A license is saved here once the order is paid."),
        )
    return Standing(
        "order_not_paid",
        _("No license was saved, and the order is closed."),
        _("There is nothing to send."),
    )


def _without_license(fulfilment: Fulfilment | None) -> Standing:
    tool = fulfilment.product.tool if fulfilment else None
    if tool is Tool.INFORMATION:
        return Standing(
            "information_mailed",
            _("The information goes by e-mail and has no license, so there is nothing to resend."),
            _("The order history says what became of the e-mail."),
        )
    if tool is Tool.WEB_SERVICE:
        return Standing(
            "delivered_elsewhere",
            _("The vendor was told, and mails the license itself."),
            _("Ask the vendor if it did not arrive: it was not saved here."),
        )
    return Standing(
        "delivered_elsewhere",
        _("The item has been fulfilled, and no license was saved here."),
        _("There is nothing to send."),
    )


def _not_begun() -> Standing:
    return Standing(
        "not_begun",
        _("No license has been saved for this item. It came from a file, and nothing was started."),
        _("Try now to obtain its license."),
    )


def _on_its_way(fulfilment: Fulfilment) -> Standing:
    if fulfilment.state is FulfilmentState.WORKING:
        return Standing(
            "working",
            _("The license is being obtained now."),
            _("This page tells what comes of it."),
        )
    if fulfilment.awaits_worker:
        return _due(fulfilment)
    match fulfilment.state, fulfilment.failure:
        case FulfilmentState.FAILED, _failure:
            return _failed(fulfilment)
        case _state, Failure.SERVICE_RESTS:
            return _resting(fulfilment)
        case FulfilmentState.RETRYING, _failure:
            return _retrying(fulfilment)
        case _state, Failure.POOL_EMPTY:
            return _pool_empty(fulfilment)
        case _state, Failure.LICENSE_AWAITED:
            return Standing(
                "license_awaited",
                ngettext(
                    "Waiting for the vendor’s staff to enter a license.",
                    "Waiting for the vendor’s staff to enter %(num)s licenses.",
                    fulfilment.missing,
                ),
                _("Enter it here if you have it."),
            )
    return _untried(fulfilment)


def _due(fulfilment: Fulfilment) -> Standing:
    if not fulfilment.is_overdue:
        return Standing("due", _("The license is about to be obtained."), "")
    return Standing(
        "overdue",
        _("It is due since %(time)s, and no worker has taken it up.", time=_next(fulfilment)),
        _("Tell an operator: the worker may have stopped."),
        for_operators=_("Look whether the worker runs: keydesk worker."),
    )


def _retrying(fulfilment: Fulfilment) -> Standing:
    facts = {"what": _awaited(fulfilment), "why": _why(fulfilment), "time": _next(fulfilment)}
    return Standing(
        "retrying",
        ngettext(
            "Waiting for %(what)s, tried once, next at %(time)s: %(why)s",
            "Waiting for %(what)s, tried %(num)s times, next at %(time)s: %(why)s",
            fulfilment.attempts,
            **facts,
        ),
        "",
    )


def _resting(fulfilment: Fulfilment) -> Standing:
    return Standing(
        "service_rests",
        _(
            "Waiting for %(what)s, which failed several times in a row and is asked less often, "
            "next at %(time)s",
            what=_awaited(fulfilment),
            time=_next(fulfilment),
        ),
        "",
    )


def _failed(fulfilment: Fulfilment) -> Standing:
    return Standing(
        "failed",
        ngettext(
            "Failed for good, tried once: %(why)s",
            "Failed for good, tried %(num)s times: %(why)s",
            max(fulfilment.attempts, 1),
            why=_why(fulfilment),
        ),
        _("Tell an operator, and try again once it is mended."),
        for_operators=_("Mend it on the page of the product, and try again."),
    )


def _pool_empty(fulfilment: Fulfilment) -> Standing:
    return Standing(
        "pool_empty",
        ngettext(
            "Waiting for the pool to be refilled: one license is missing.",
            "Waiting for the pool to be refilled: %(num)s licenses are missing.",
            PoolWait.missing_for(fulfilment.item_id) or fulfilment.missing,
        ),
        _("Ask an operator to upload licenses."),
        for_operators=_("Upload licenses to the pool of the product."),
    )


def _untried(fulfilment: Fulfilment) -> Standing:
    if refusal := fulfilment.product.tool_refusal():
        return Standing(**vars(refusal))
    return Standing("waiting", _("Waiting to be tried."), _("Try now to obtain its license."))


def _awaited(fulfilment: Fulfilment) -> str:
    """What an item waits for, by its tool, in the middle of a sentence."""
    names = {
        Tool.WEB_SERVICE: _("the vendor’s web service"),
        Tool.POOL: _("the pool"),
        Tool.LICENSE_REQUEST: _("the vendor’s staff"),
    }
    tool = fulfilment.product.tool
    return names.get(tool, _("another try")) if tool else _("another try")


def _why(fulfilment: Fulfilment) -> str:
    """What went wrong: what the other side said, or else the reason in our words."""
    return fulfilment.detail or (Failure(fulfilment.failure).what if fulfilment.failure else "")


def _next(fulfilment: Fulfilment) -> str:
    return clock_time(fulfilment.due_at or clock.now())
