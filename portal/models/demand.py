"""What an item wants: how many licenses, of which product. That follows its order, which may have
more of it by now, or less, or another product; what was done may have to go on because of that."""

from collections import Counter
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import ForeignKey, String, inspect
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from portal import clock
from portal.database.types import BigId
from portal.extensions import db
from portal.models.claim import Claim
from portal.models.fulfilment_state import FulfilmentState
from portal.models.history import HistoryEntry, What
from portal.models.item import Item
from portal.models.license import License
from portal.models.product import Product, Tool

if TYPE_CHECKING:
    from portal.models.order import Order
    from portal.models.staff import Staff

BEGINNINGS = (What.FULFILMENT_BEGUN, What.FULFILMENT_STARTED, What.FULFILMENT_REOPENED)


def new_request_id() -> str:
    """The name of a license request."""
    return f"req_{uuid4().hex}"


def product_of(item: Item) -> Product:
    """The product that `item` is by now; one that is new appears."""
    names = {item.product_code: item.product_name}
    return Product.appear(item.order.checkout_page_id, names)[item.product_code]


class Demand(Claim):
    """`request_id` names the license request and stays the same through its retries, so that the
    vendor can answer alike; `asked_for` is how many licenses it was last for. Once the item was
    done, `done_for` is for how many units, and `done_with` how many valid licenses it had then."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"), unique=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    # Of rows that go in together it says which is which, and SQLite takes many at once then.
    request_id: Mapped[str] = mapped_column(
        String(64), unique=True, default=new_request_id, insert_sentinel=True
    )
    asked_for: Mapped[int | None]
    done_for: Mapped[int | None]
    done_with: Mapped[int | None]

    @declared_attr
    def item(cls) -> Mapped[Item]:
        """The item that wants something."""
        return relationship(back_populates="fulfilment")

    @declared_attr
    def product(cls) -> Mapped[Product]:
        """What it wants."""
        return relationship()

    @property
    def missing(self) -> int:
        """How many licenses the item still wants: those that were replaced do not count. What it
        was done for before is done, whatever licenses that took."""
        return self._missing_beside(self._valid)

    def _missing_beside(self, valid: int) -> int:
        wanted, saved = self.product.licenses_for(self.item.quantity), valid
        if self.done_for:
            wanted -= self.product.licenses_for(self.done_for)
            saved -= self.done_with or 0
        return max(wanted - saved, 0)

    @property
    def _valid(self) -> int:
        """The database counts them where they have not been read: there may be very many."""
        if "licenses" not in inspect(self.item).unloaded:
            return sum(not license.revoked_at for license in self.item.licenses)
        count = db.select(db.func.count()).select_from(License)
        valid = (License.item_id == self.item_id, License.revoked_at.is_(None))
        return db.session.scalar(count.where(*valid)) or 0

    @staticmethod
    def _valid_in(order: "Order") -> Counter[int]:
        """The same of all items of an order at once, by the ids of the items."""
        query = (
            db.select(License.item_id, db.func.count())
            .join(License.item)
            .where(Item.order_id == order.id, License.revoked_at.is_(None))
            .group_by(License.item_id)
        )
        return Counter(dict(db.session.execute(query).all()))

    def count_attempt(self) -> None:
        """Note that the tool is asked once more, and for how many licenses. Other than before it is
        another request: who answers the same one alike would answer with as many as then."""
        if self.asked_for not in (None, self.missing):
            self.request_id = new_request_id()
        self.asked_for = self.missing
        self.attempts += 1

    def follow_item(self) -> None:
        """Go by what a document has made of the item, unless somebody is at work on it: it may be
        fulfilled by now, want nothing more, or be another product."""
        is_over = self.state is FulfilmentState.DONE or self.item.refunded_at
        if is_over or self.state is FulfilmentState.WORKING:
            return
        if self.item.fulfilled_at:
            self._settle()
        elif self.product.code != self.item.product_code:
            self.product, self.failure, self.detail = product_of(self.item), None, None
            self._ask_anew()
        elif not self.missing:
            self._settle()

    def _settle(self) -> None:
        """There is nothing to obtain any more."""
        self.due_at = self.claimed_by = self.failure = self.detail = None
        if self.state is not FulfilmentState.DONE:
            self._finish()

    def _finish(self, *, short: int = 0) -> None:
        """It is done, but for `short` licenses of what was bought while the tool was asked."""
        self.state = FulfilmentState.DONE
        self.item.fulfilled_at = self.item.fulfilled_at or clock.now()
        self.done_for, self.done_with = self.item.quantity - short, self._valid
        if short:
            self._reopen(self.done_with)

    def _reopen(self, valid: int) -> bool:
        """Go on with an item of which more was bought than it is done for; whether it is one. What
        an informational e-mail says is said. `valid` is how many valid licenses it has."""
        is_done = self.state is FulfilmentState.DONE and not self.item.refunded_at
        has_grown = self.item.quantity > (self.done_for or 0) and self._missing_beside(valid)
        if not (is_done and has_grown) or self.product.tool is Tool.INFORMATION:
            return False
        self.item.fulfilled_at = None
        if self.product.code != self.item.product_code:
            self.product = product_of(self.item)
        self._ask_anew()
        self._note(What.FULFILMENT_REOPENED)
        return True

    def _ask_anew(self) -> None:
        """Make due another license request: who answers the former alike would give the same."""
        self.request_id, self.asked_for = new_request_id(), None
        self.state = FulfilmentState.WAITING
        self._make_due()

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
