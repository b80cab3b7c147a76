"""What keeps an item from its licenses, for now or for good: it waits for somebody, it is tried
again later, or it has failed; and who of the vendor is told."""

from datetime import datetime

from portal import clock, retries
from portal.fulfilment.answer import Failure, Trouble, Waits
from portal.models.demand import Demand
from portal.models.fulfilment_state import FulfilmentState
from portal.models.history import What
from portal.models.notice import Notice, NoticeKind
from portal.models.pool_license import PoolWait


class Setback(Demand):
    """An item gets nothing this time."""

    def stand_down(self) -> None:
        """Nothing can be obtained now; whatever stands in the way has its own way to go on."""
        if self.item.fulfilled_at:
            self._settle()
            return
        self.state, self.due_at, self.claimed_by = FulfilmentState.WAITING, None, None
        self._have_patience_anew()
        if self.product.tool is None:
            self._wait(Waits(Failure.TOOL_NOT_SET_UP), self.failure)

    def let_rest(self, until: datetime) -> Notice | None:
        """Give a claim back: the other side of the tool rests `until` then. Who has no patience for
        that has failed: the e-mail that is to be sent because of it."""
        self.put_back(until, Failure.SERVICE_RESTS)
        if until < retries.patience_ends(self.started_at or clock.now()):
            return None
        reason = Failure(self.failure or Failure.SERVICE_RESTS)
        return self._try_again_or_fail(Trouble(reason, self.detail, is_temporary=False))

    def _wait(self, answer: Waits, before: str | None) -> Notice | None:
        """Wait; what it has waited for `before` is neither said nor mailed again."""
        self.state, self.failure = FulfilmentState.WAITING, answer.reason
        self.detail, self.due_at = answer.detail, answer.until
        self._have_patience_anew()
        if answer.reason is Failure.POOL_EMPTY and PoolWait.is_over(self.item_id):
            self.due_at = clock.now()  # the pool was refilled while this was on its way here
        if before == answer.reason:
            return None
        self._note(What.FULFILMENT_WAITS)
        if answer.reason is not Failure.LICENSE_AWAITED:
            return None
        return self._tell_vendor(NoticeKind.LICENSE_NEEDED, answer.notify)

    def _try_again_or_fail(self, trouble: Trouble) -> Notice | None:
        started_at = self.started_at or clock.now()
        self.failure, self.detail = trouble.failure, trouble.detail
        self.due_at = (
            retries.next_try(self.attempts, started_at, at_least=trouble.retry_after or 0)
            if trouble.is_temporary
            else None
        )
        failed = self.due_at is None
        self.state = FulfilmentState.FAILED if failed else FulfilmentState.RETRYING
        self._note(What.FULFILMENT_FAILED if failed else What.FULFILMENT_RETRIES)
        return self._tell_vendor(NoticeKind.FULFILMENT_FAILED) if failed else None

    def _tell_vendor(self, kind: NoticeKind, to: str = "") -> Notice | None:
        page = self.item.order.checkout_page
        return Notice.write(kind, to or page.vendor_email, item=self.item)
