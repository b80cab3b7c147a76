"""What comes of an attempt to obtain licenses: what a tool answered, or a person entered, is saved;
setback.py is what becomes of an item that got none."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portal import clock
from portal.fulfilment.answer import Answer, DoneElsewhere, Failure, Licenses, Trouble, Waits
from portal.models.delivery import Delivery
from portal.models.demand import new_request_id
from portal.models.fulfilment_state import FulfilmentState
from portal.models.history import What
from portal.models.license import License
from portal.models.notice import Notice
from portal.models.pool_license import PoolWait
from portal.models.refusal import Refused
from portal.models.setback import Setback
from portal.pools import sold

if TYPE_CHECKING:
    from portal.models.staff import Staff

# So many claims may be lost before somebody waits: what ends every worker that touches it must not
# do so again and again.
LOST_AT_MOST = 5


class Outcome(Setback):
    """An attempt ends with an answer, with licenses that a person has, or with its claim lost."""

    def take(self, answer: Answer) -> Delivery | Notice | None:
        """Write down what the tool answered; the e-mail that is to be sent because of it."""
        before, self.failure = self.failure, None
        self.claimed_by = self.due_at = self.detail = None
        if isinstance(answer, Licenses) and self.item.has_license(*answer.texts):
            self.request_id = new_request_id()  # who answers alike would do so for ever
            answer = Trouble(Failure.LICENSE_KNOWN, is_temporary=False)
        if isinstance(answer, Trouble | Waits) and self.item.fulfilled_at:
            self._finish()  # a document brought the licenses meanwhile
            return None
        match answer:
            case Licenses():
                return self._save(answer)
            case DoneElsewhere(email=True):
                delivery = Delivery.automatic(self.item, [], token=self.request_id)
                self._finish()
                return delivery
            case DoneElsewhere():
                self._note(What.ITEM_DELIVERED_ELSEWHERE)
                self._finish(short=self.missing - (self.asked_for or self.missing))
            case Waits():
                return self._wait(answer, before)
            case Trouble():
                return self._try_again_or_fail(answer)
        return None

    def enter(self, texts: Sequence[str], *, by: "Staff", token: str) -> Delivery:
        """Save the licenses that a person entered; the delivery that is to be sent, one for each
        `token`. Raises Refused."""
        if refusal := self.item.entry_refusal():
            raise Refused(refusal)
        sold.hold(texts, self.item)
        self.claimed_by = self.due_at = self.failure = self.detail = None
        return self._save(Licenses(list(texts)), by=by, token=token)

    def lose(self) -> None:
        """The claim is over, and whoever had it has written down nothing: try again at once, unless
        that has happened too often."""
        if self.attempts >= LOST_AT_MOST:
            self.take(Trouble(Failure.TOOL_BROKE_DOWN))
        else:
            self.state, self.claimed_by, self.due_at = FulfilmentState.RETRYING, None, clock.now()
            self.failure, self.detail = Failure.ATTEMPT_LOST, None
            self._note(What.FULFILMENT_RETRIES)

    def _save(
        self, answer: Licenses, *, by: "Staff | None" = None, token: str | None = None
    ) -> Delivery:
        if not answer.sources:
            sold.begin_saving()
        first = len(self.item.licenses) + 1
        sources: Sequence[int | None] = answer.sources or [None] * len(answer.texts)
        License.save_all(self.item, answer.texts, pool_license_ids=sources)
        self._note(What.LICENSE_SAVED, by=by)
        is_over = answer.is_all or not self.missing
        if not answer.sources:
            sold.take_out(answer.texts)
        elif is_over:
            PoolWait.end(self.item_id)
        if is_over:
            self._finish(short=self.missing)
        else:
            self._wait(Waits(Failure.POOL_EMPTY), None)
        token = token or f"{self.request_id}-{first + len(answer.texts) - 1}"
        delivery = Delivery.automatic(self.item, [], token=token)
        License.put_into(delivery, first=first)
        return delivery
