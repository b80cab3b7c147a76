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
from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    exists,
    func,
    insert,
    literal,
    update,
)
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


# Which claim somebody has. What began anew counts its claims anew, and is another one all the same.
Attempt = tuple[datetime | None, int]

# What has to wait for somebody has failed nobody: the time in which it may fail begins after that.
PATIENCE_ANEW = {"started_at": None, "attempts": 0}

BEGINNINGS = (What.FULFILMENT_BEGUN, What.FULFILMENT_STARTED, What.FULFILMENT_REOPENED)

# More are left to the sweep, so that nobody waits for them to be queued.
QUEUED_AT_ONCE = 100

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
    first. `attempts` counts the claims since `started_at`. `failure` is a word of
    portal.fulfilment.answer.Failure. Once it was done, `done_for` is for how many units, and
    `done_with` how many valid licenses the item had then."""

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
    done_for: Mapped[int | None]
    done_with: Mapped[int | None]

    item: Mapped[Item] = relationship(back_populates="fulfilment")
    product: Mapped[Product] = relationship()

    def refusal(self) -> Refusal | None:
        """Why nothing can be obtained for this item now, or None when it can be."""
        if refusal := self.item.fulfilment_refusal():
            return refusal
        if self.product.tool is None:
            return _no_tool(self.product)
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
        known = [item.fulfilment for item in order.items if item.fulfilment]
        begun += [fulfilment for fulfilment in known if fulfilment._reopen()]
        return begun

    @classmethod
    def of_delivered(cls, item: Item) -> "Fulfilment":
        """The fulfilment of an item that came with its licenses: done for what was bought so far,
        so that more of it can be obtained."""
        delivered = cls(item=item, product=_product_of(item))
        delivered._finish()
        db.session.add(delivered)
        return delivered

    @classmethod
    def wake(cls, product: Product) -> list[int]:
        """Make due what waits for `product` to be set up or refilled, and what is to be tried again
        later: ids, oldest order first, as many as are worth being queued at once."""
        states = (FulfilmentState.WAITING, FulfilmentState.RETRYING)
        cls._make_all_due(product, cls.state.in_(states))
        woken = (
            db.select(cls.id)
            .join(cls.item)
            .join(Item.order)
            .where(cls.product_id == product.id, cls.state.in_(states), cls.due_at <= clock.now())
            .order_by(Order.created_at, Order.id, Item.position)
            .limit(QUEUED_AT_ONCE)
        )
        return list(db.session.scalars(woken))

    @classmethod
    def start_failed(cls, product: Product, *, by: "Staff | None") -> int:
        """Start what has failed of `product` again, and note in each order who asked; how many.
        Raises Refused."""
        if product.tool is None:
            raise Refused(_no_tool(product))
        now = clock.now()
        anew = {"state": FulfilmentState.WAITING, "due_at": now}
        count = cls._make_all_due(product, cls.state == FulfilmentState.FAILED, **anew)
        started = (
            db.select(
                Item.order_id,
                literal(What.FULFILMENT_STARTED, HistoryEntry.what.type),
                literal(now, UTCDateTime),
                literal(by.id if by else None, Integer),
                Item.product_name,
            )
            .join(cls, cls.item_id == Item.id)
            .where(cls.product_id == product.id, cls.due_at == now)
            .where(cls.state == FulfilmentState.WAITING)
        )
        columns = ["order_id", "what", "at", "by_id", "text"]
        db.session.execute(insert(HistoryEntry).from_select(columns, started))
        return count

    @classmethod
    def _make_all_due(cls, product: Product, those: ColumnElement[bool], **values: object) -> int:
        """In one statement, which sees what whoever is at work has written by then; how many."""
        found = db.session.execute(
            update(cls)
            .where(cls.product_id == product.id, those, cls._is_wanted())
            .values(PATIENCE_ANEW | {"due_at": clock.now()} | values),
            execution_options={"synchronize_session": False},
        )
        return int(getattr(found, "rowcount", 0))

    @classmethod
    def _is_wanted(cls) -> ColumnElement[bool]:
        """Whether the order still allows it."""
        return exists().where(
            Item.id == cls.item_id,
            Item.is_awaited,
            Order.id == Item.order_id,
            Order.status == OrderStatus.PAID,
        )

    @classmethod
    def awaiting(cls, products: Sequence[Product]) -> "dict[int, dict[str, int]]":
        """How many items of `products` are not done, by product id and state."""
        query = (
            db.select(cls.product_id, cls.state, func.count())
            .where(
                cls.product_id.in_([product.id for product in products]),
                cls.state.in_(set(FulfilmentState) - {FulfilmentState.DONE}),
                cls._is_wanted(),
            )
            .group_by(cls.product_id, cls.state)
        )
        counts: dict[int, dict[str, int]] = {}
        for product_id, state, count in db.session.execute(query):
            counts.setdefault(product_id, {})[state.value] = count
        return counts

    @property
    def missing(self) -> int:
        """How many licenses the item still wants: those that were replaced do not count. What it
        was done for before is done, whatever licenses that took."""
        wanted, saved = self.product.licenses_for(self.item.quantity), self._valid
        if self.done_for:
            wanted -= self.product.licenses_for(self.done_for)
            saved -= self.done_with or 0
        return max(wanted - saved, 0)

    @property
    def _valid(self) -> int:
        return sum(not license.revoked_at for license in self.item.licenses)

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

    @property
    def attempt(self) -> Attempt:
        """The claim that somebody has now, or had last."""
        return self.started_at, self.attempts

    def is_at(self, attempt: Attempt) -> bool:
        """Whether nobody has taken this over since that attempt was begun."""
        return self.state is FulfilmentState.WORKING and self.attempt == attempt

    def take(self, answer: Answer) -> Delivery | Notice | None:
        """Write down what the tool answered; the e-mail that is to be sent because of it."""
        before, self.failure = self.failure, None
        self.claimed_by = self.due_at = self.detail = None
        if isinstance(answer, Licenses) and any(map(self.item.has_license, answer.texts)):
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
            self._make_due()
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
        begun = cls(item=item, product=_product_of(item), due_at=clock.now())
        db.session.add(begun)
        begun._note(What.FULFILMENT_BEGUN, by=by)
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
        if self.item.fulfilled_at:
            self._settle()
            return
        self.state, self.due_at, self.claimed_by = FulfilmentState.WAITING, None, None
        self._have_patience_anew()
        if self.product.tool is None:
            self._wait(Waits(Failure.TOOL_NOT_SET_UP), self.failure)

    def follow_item(self) -> None:
        """Go by what a document has made of the item, unless somebody is at work on it: it may be
        fulfilled by now, want nothing more, or be another product."""
        is_over = self.state is FulfilmentState.DONE or self.item.refunded_at
        if is_over or self.state is FulfilmentState.WORKING:
            return
        if self.item.fulfilled_at:
            self._settle()
        elif self.product.code != self.item.product_code:
            self.product, self.failure, self.detail = _product_of(self.item), None, None
            self._ask_anew()
        elif not self.missing:
            self._settle()

    def _settle(self) -> None:
        """There is nothing to obtain any more."""
        self.due_at = self.claimed_by = self.failure = self.detail = None
        if self.state is not FulfilmentState.DONE:
            self._finish()

    def _reopen(self) -> bool:
        """Go on with an item of which more was bought than it is done for; whether it is one. What
        an informational e-mail says is said."""
        is_done = self.state is FulfilmentState.DONE and not self.item.refunded_at
        has_grown = self.item.quantity > (self.done_for or 0) and self.missing
        if not (is_done and has_grown) or self.product.tool is Tool.INFORMATION:
            return False
        self.item.fulfilled_at = None
        if self.product.code != self.item.product_code:
            self.product = _product_of(self.item)
        self._ask_anew()
        self._note(What.FULFILMENT_REOPENED)
        return True

    def _ask_anew(self) -> None:
        """Make due another license request: who answers the former alike would give the same."""
        self.request_id, self.asked_for = new_request_id(), None
        self.state = FulfilmentState.WAITING
        self._make_due()

    def _make_due(self) -> None:
        self.due_at = clock.now()
        self._have_patience_anew()

    def _have_patience_anew(self) -> None:
        for name, value in PATIENCE_ANEW.items():
            setattr(self, name, value)

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
        token = token or f"{self.request_id}-{len(self.item.licenses)}"
        is_over = answer.is_all or not self.missing
        if not answer.sources:
            sold.take_out(answer.texts)
        elif is_over:
            PoolWait.end(self.item_id)
        if is_over:
            self._finish(short=self.missing)
        else:
            self._wait(Waits(Failure.POOL_EMPTY), None)
        return Delivery.automatic(self.item, added, token=token)

    def _finish(self, *, short: int = 0) -> None:
        """It is done, but for `short` licenses of what was bought while the tool was asked."""
        self.state = FulfilmentState.DONE
        self.item.fulfilled_at = self.item.fulfilled_at or clock.now()
        self.done_for, self.done_with = self.item.quantity - short, self._valid
        if short:
            self._reopen()

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

    def _note(self, what: What, *, by: "Staff | None" = None) -> None:
        begins = what in BEGINNINGS  # what went wrong before has been said
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


def _product_of(item: Item) -> Product:
    names = {item.product_code: item.product_name}
    return Product.appear(item.order.checkout_page_id, names)[item.product_code]


def _no_tool(product: Product) -> Refusal:
    return Refusal(
        "no_tool",
        _("No fulfilment tool is set for %(product)s.", product=product.name),
        _("Ask an operator to choose one on the page of the product."),
        for_operators=_("Set a tool on the page of the product."),
    )
