"""Where one item stands on its way to its licenses.

    waiting → working → done
                 ↓  ↑
              retrying     … or failed, from which a person can start it again

An item has a fulfilment from the moment that a message says its order is paid; what came from a
file has none until a person starts it. It is kept per item: one that fails holds up no other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock, retries
from portal.database import BigId, UTCDateTime, words
from portal.extensions import Model, db
from portal.fulfilment.answer import (
    Answer,
    DoneElsewhere,
    Failure,
    Licenses,
    Trouble,
    Waits,
)
from portal.models.delivery import Delivery
from portal.models.history import HistoryEntry, What
from portal.models.item import Item
from portal.models.license import License
from portal.models.notice import Notice, NoticeKind
from portal.models.order import Order
from portal.models.order_status import OrderStatus
from portal.models.pool_license import PoolWait
from portal.models.product import Product, Tool
from portal.models.refusal import Refusal, Refused
from portal.pools import sold

if TYPE_CHECKING:
    from portal.models.staff import Staff


# So many claims may be lost before somebody waits: what ends every worker that touches it must not
# do so again and again.
LOST_AT_MOST = 5


class FulfilmentState(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    RETRYING = "retrying"
    DONE = "done"
    FAILED = "failed"


# What has been due for so long has no worker that could take it up.
NOBODY_COMES = timedelta(minutes=5)

# The condition of an index, which is used where a statement repeats it to the letter.
AWAITED = "state = 'waiting' AND failure = 'license_awaited'"


def new_request_id() -> str:
    """The name of a license request."""
    return f"req_{uuid4().hex}"


class Fulfilment(Model):
    """`request_id` names the license request and stays the same through its retries, so that the
    vendor can answer alike. `due_at` is when the worker tries (again), or while one is at work,
    when its claim runs out; None where it is over, or a person or the stock of a pool has to come
    first. `attempts` counts the claims, so that one who lost his knows. `failure` is a word of
    portal.fulfilment.answer.Failure."""

    __tablename__ = "fulfilments"
    __table_args__ = (
        Index(
            "ix_fulfilments_due",
            "due_at",
            sqlite_where=db.text("due_at IS NOT NULL"),
            postgresql_where=db.text("due_at IS NOT NULL"),
        ),
        # Those that wait for the stock of one pool.
        Index(None, "product_id", "state"),
        # The few that wait for the vendor's staff, those that wait longest first; needs.py.
        Index(
            "ix_fulfilments_awaited",
            "id",
            sqlite_where=db.text(AWAITED),
            postgresql_where=db.text(AWAITED),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"), unique=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    state: Mapped[FulfilmentState] = mapped_column(
        words(FulfilmentState), default=FulfilmentState.WAITING
    )
    request_id: Mapped[str] = mapped_column(String(64), unique=True, default=new_request_id)
    attempts: Mapped[int] = mapped_column(default=0)
    asked_for: Mapped[int | None]
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claimed_by: Mapped[str | None] = mapped_column(String(255))
    failure: Mapped[str | None] = mapped_column(String(32))
    detail: Mapped[str | None] = mapped_column(String(500))

    item: Mapped[Item] = relationship(back_populates="fulfilment")
    product: Mapped[Product] = relationship()

    def refusal(self) -> Refusal | None:
        """Why nothing can be obtained for this item now, or None when it can be."""
        if refusal := self.item.fulfilment_refusal():
            return refusal
        if self.product.tool is None:
            return Refusal(
                "no_tool",
                _("No fulfilment tool is set for %(product)s.", product=self.product.name),
                _("Ask an operator to choose one on the page of the product."),
                for_operators=_("Set a tool on the page of the product."),
            )
        return None

    def attempt_refusal(self) -> Refusal | None:
        """Why it cannot be tried at once, or None when it can."""
        if refusal := self.refusal():
            return refusal
        if self.state is FulfilmentState.WORKING:
            return Refusal(
                "working", _("The license is being obtained now."), _("Wait for what comes of it.")
            )
        if self.awaits_worker and not self.is_overdue:
            return Refusal(
                "due", _("The license is about to be obtained."), _("Wait for what comes of it.")
            )
        if self.awaits_staff and self.product.tool is Tool.LICENSE_REQUEST:
            return Refusal(
                "license_awaited",
                _("The vendor’s staff have to enter the license."),
                _("Enter it on the page of the order."),
            )
        return None

    @property
    def awaits_worker(self) -> bool:
        """Whether a worker is to take it up now."""
        return self.state is not FulfilmentState.WORKING and self.is_due

    @property
    def is_overdue(self) -> bool:
        """Whether it is due for so long that no worker seems to come."""
        return self.awaits_worker and bool(self.due_at and self.due_at + NOBODY_COMES < clock.now())

    @property
    def awaits_staff(self) -> bool:
        """Whether it waits for the vendor's staff to enter its licenses."""
        return (self.state, self.failure) == (FulfilmentState.WAITING, Failure.LICENSE_AWAITED)

    @classmethod
    def begin(cls, order: Order) -> list["Fulfilment"]:
        """Have the licenses obtained that the items of a paid order want; those that are begun."""
        if order.status is not OrderStatus.PAID:
            return []
        wanting = [item for item in order.items if item.is_awaited and item.fulfilment is None]
        names = {item.product_code: item.product_name for item in wanting}
        products = Product.appear(order.checkout_page_id, names)
        begun = [
            cls(item=item, product=products[item.product_code], due_at=clock.now())
            for item in wanting
        ]
        db.session.add_all(begun)
        topped_up = [item.fulfilment for item in order.items if item.fulfilment]
        begun += [fulfilment for fulfilment in topped_up if fulfilment._reopen()]
        return begun

    @classmethod
    def wake(cls, product: Product) -> list[int]:
        """Make due what waits for `product` to be set up or refilled: ids, oldest order first."""
        waiting = (
            db.select(cls)
            .join(cls.item)
            .join(Item.order)
            .where(cls.product_id == product.id, cls.state == FulfilmentState.WAITING)
            .order_by(Order.created_at, Order.id, Item.position)
        )
        found = db.session.scalars(waiting).all()
        for fulfilment in found:
            fulfilment.due_at = clock.now()
        return [fulfilment.id for fulfilment in found]

    @classmethod
    def awaiting(cls, products: Sequence[Product]) -> "dict[int, dict[str, int]]":
        """How many items of `products` are not done, by product id and state."""
        query = (
            db.select(cls.product_id, cls.state, func.count())
            .where(
                cls.product_id.in_([product.id for product in products]),
                cls.state.in_(set(FulfilmentState) - {FulfilmentState.DONE}),
            )
            .group_by(cls.product_id, cls.state)
        )
        counts: dict[int, dict[str, int]] = {}
        for product_id, state, count in db.session.execute(query):
            counts.setdefault(product_id, {})[state.value] = count
        return counts

    @property
    def missing(self) -> int:
        """How many licenses the item still wants: those that were replaced do not count."""
        valid = [license for license in self.item.licenses if not license.revoked_at]
        return max(self.product.licenses_for(self.item.quantity) - len(valid), 0)

    def count_attempt(self) -> None:
        """Note that the tool is asked once more, and for how many licenses. Other than before it is
        another request: who answers the same one alike would answer with as many as then."""
        if self.asked_for not in (None, self.missing):
            self.request_id = new_request_id()
        self.asked_for = self.missing
        self.attempts += 1

    @property
    def is_due(self) -> bool:
        """Whether the worker is to look at it by now."""
        return self.due_at is not None and self.due_at <= clock.now()

    def is_at(self, attempt: int) -> bool:
        """Whether nobody has taken this over since that attempt was begun."""
        return self.state is FulfilmentState.WORKING and self.attempts == attempt

    def take(self, answer: Answer) -> Delivery | Notice | None:
        """Write down what the tool answered; the e-mail that is to be sent because of it."""
        before, self.failure = self.failure, None
        self.claimed_by = self.due_at = self.detail = None
        match answer:
            case Licenses():
                return self._save(answer)
            case DoneElsewhere(email=True):
                self._finish()
                return Delivery.automatic(self.item, [], token=self.request_id)
            case DoneElsewhere():
                self._finish()
                self._note(What.ITEM_DELIVERED_ELSEWHERE)
            case Waits():
                return self._wait(answer, before)
            case Trouble():
                return self._try_again_or_fail(answer)
        return None

    def lose(self) -> None:
        """The claim is over, and whoever had it has written down nothing: try again at once, unless
        that has happened too often."""
        if self.attempts >= LOST_AT_MOST:
            self.take(Trouble(Failure.TOOL_BROKE_DOWN))
        else:
            self.state, self.claimed_by, self.due_at = FulfilmentState.RETRYING, None, clock.now()
            self.failure, self.detail = Failure.ATTEMPT_LOST, None
            self._note(What.FULFILMENT_RETRIES)

    def start_again(self, *, by: "Staff | None") -> None:
        """Try now, whatever the clock says; `by` is who asked. Raises Refused."""
        if refusal := self.refusal():
            raise Refused(refusal)
        if self.state is not FulfilmentState.WORKING:
            self.due_at, self.started_at, self.attempts = clock.now(), None, 0
            self._note(What.FULFILMENT_STARTED, by=by)

    @classmethod
    def try_now(cls, item: Item, *, by: "Staff") -> "Fulfilment":
        """Have the licenses of `item` asked for at once, even where nothing had been started for
        it: what came from a file. Raises Refused."""
        if refusal := item.attempt_refusal():
            raise Refused(refusal)
        if item.fulfilment:
            item.fulfilment.start_again(by=by)
            return item.fulfilment
        names = {item.product_code: item.product_name}
        product = Product.appear(item.order.checkout_page_id, names)[item.product_code]
        begun = cls(item=item, product=product, due_at=clock.now())
        db.session.add(begun)
        begun._note(What.FULFILMENT_STARTED, by=by)
        return begun

    def enter(self, texts: Sequence[str], *, by: "Staff", token: str) -> Delivery:
        """Save the licenses that a person entered; the delivery that is to be sent, one for each
        `token`. Raises Refused."""
        if refusal := self.item.entry_refusal():
            raise Refused(refusal)
        sold.hold(texts, self.item)
        self.claimed_by = self.due_at = self.failure = self.detail = None
        return self._save(Licenses(list(texts)), by=by, token=token)

    def stand_down(self) -> None:
        """Nothing can be obtained now; whatever stands in the way has its own way to go on."""
        self.state, self.due_at, self.claimed_by = FulfilmentState.WAITING, None, None
        if self.product.tool is None:
            self._wait(Waits(Failure.TOOL_NOT_SET_UP), self.failure)

    def _reopen(self) -> bool:
        """Go on with an item of which more was bought than was delivered; whether it is one."""
        delivers_here = self.state is FulfilmentState.DONE and bool(self.item.licenses)
        if not delivers_here or not self.missing or self.item.refunded_at:
            return False
        self.state, self.due_at, self.started_at = FulfilmentState.WAITING, clock.now(), None
        self.item.fulfilled_at = None
        return True

    def put_back(self, until: datetime, because: Failure | None = None) -> None:
        """Give a claim back: the tool is not asked before `until`. What is known of former attempts
        stays, and `because` is what there is to say where nothing is."""
        self.attempts -= 1
        self.due_at, self.claimed_by = until, None
        tried = bool(self.attempts and self.failure)
        self.state = FulfilmentState.RETRYING if tried else FulfilmentState.WAITING
        if not tried:
            self.failure, self.detail = because, None

    def let_rest(self, until: datetime) -> Notice | None:
        """Give a claim back: the other side of the tool rests `until` then. Who has no patience for
        that has failed: the e-mail that is to be sent because of it."""
        self.put_back(until, Failure.SERVICE_RESTS)
        if until < retries.patience_ends(self.started_at or clock.now()):
            return None
        reason = Failure(self.failure or Failure.SERVICE_RESTS)
        return self._try_again_or_fail(Trouble(reason, self.detail, is_temporary=False))

    def _save(
        self, answer: Licenses, *, by: "Staff | None" = None, token: str | None = None
    ) -> Delivery:
        if not answer.sources:
            sold.begin_saving()
        sources: Sequence[int | None] = answer.sources or [None] * len(answer.texts)
        added = [
            License.saved(self.item, text, pool_license_id=source)
            for text, source in zip(answer.texts, sources, strict=True)
        ]
        self._note(What.LICENSE_SAVED, by=by)
        if not answer.sources:
            sold.take_out(answer.texts)
        elif answer.is_all:
            PoolWait.end(self.item_id)
        if answer.is_all:
            self._finish()
        else:
            self._wait(Waits(Failure.POOL_EMPTY), None)
        token = token or f"{self.request_id}-{len(self.item.licenses)}"
        return Delivery.automatic(self.item, added, token=token)

    def _finish(self) -> None:
        self.state = FulfilmentState.DONE
        self.item.fulfilled_at = clock.now()

    def _wait(self, answer: Waits, before: str | None) -> Notice | None:
        """Wait; what it has waited for `before` is neither said nor mailed again."""
        self.state, self.failure = FulfilmentState.WAITING, answer.reason
        self.detail, self.due_at = answer.detail, answer.until
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

    def _note(self, what: What, *, by: "Staff | None" = None) -> None:
        begins = what is What.FULFILMENT_STARTED  # what went wrong before has been said
        db.session.add(
            HistoryEntry(
                order_id=self.item.order_id,
                what=what,
                at=clock.now(),
                by_id=by.id if by else None,
                text=self.item.product_name,
                failure=None if begins else self.failure,
                answer=None if begins or what is What.FULFILMENT_WAITS else self.detail,
            )
        )
