"""The fulfilment of one item: when it begins, and who may begin it again.

An item has one from the moment that a message says its order is paid; what came from a file has
none until a person starts it.

    fulfilment_state.py   where it may stand
    claim.py              who is at work on it, and when it is tried (again)
    demand.py             how many licenses it wants of which product, as its order changes
    outcome.py            what comes of an attempt: the licenses that it brought are saved
    setback.py            it brought none: the item waits, is tried again, or has failed
    backlog.py            all of one product that are not done
"""

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import Index

from portal import clock
from portal.extensions import Model, db
from portal.models.backlog import Backlog
from portal.models.claim import NOBODY_COMES, Attempt
from portal.models.demand import product_of
from portal.models.fulfilment_state import FulfilmentState
from portal.models.history import What
from portal.models.item import Item
from portal.models.order import Order
from portal.models.outcome import Outcome
from portal.models.product import Product, Tool
from portal.models.refusal import Refusal, Refused

if TYPE_CHECKING:
    from portal.models.staff import Staff

__all__ = ["AWAITED", "NOBODY_COMES", "Attempt", "Fulfilment", "FulfilmentState"]

# The condition of an index, which is used where a statement repeats it to the letter.
AWAITED = "state = 'waiting' AND failure = 'license_awaited'"


class Fulfilment(Backlog, Outcome, Model):
    """Claim and Demand have its columns."""

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
        # The few that wait for the vendor's staff, those that wait longest first; need.py.
        Index(
            "ix_fulfilments_awaited",
            "id",
            sqlite_where=db.text(AWAITED),
            postgresql_where=db.text(AWAITED),
        ),
    )

    def refusal(self) -> Refusal | None:
        """Why nothing can be obtained for this item now, or None when it can be."""
        return self.item.fulfilment_refusal() or self.product.tool_refusal()

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

    @classmethod
    def begin(cls, order: Order) -> list["Fulfilment"]:
        """Have the licenses obtained that the items of a paid order want; those that are begun."""
        if not order.status.is_paid:
            return []
        known = [item.fulfilment for item in order.items if item.fulfilment]
        wanting = [item for item in order.items if item.is_awaited and item.fulfilment is None]
        names = {item.product_code: item.product_name for item in wanting}
        products = Product.appear(order.checkout_page_id, names)
        begun = [
            cls(item=item, product=products[item.product_code], due_at=clock.now())
            for item in wanting
        ]
        db.session.add_all(begun)
        valid = cls._valid_in(order)
        return begun + [one for one in known if one._reopen(valid[one.item_id])]

    @classmethod
    def of_delivered(cls, item: Item) -> "Fulfilment":
        """The fulfilment of an item that came with its licenses: done for what was bought so far,
        so that more of it can be obtained."""
        delivered = cls(item=item, product=product_of(item))
        delivered._finish()
        db.session.add(delivered)
        return delivered

    @classmethod
    def try_now(cls, item: Item, *, by: "Staff") -> "Fulfilment":
        """Have the licenses of `item` asked for at once, even where nothing had been started for
        it: what came from a file. Raises Refused."""
        if refusal := item.attempt_refusal():
            raise Refused(refusal)
        if item.fulfilment:
            item.fulfilment.start_again(by=by)
            return item.fulfilment
        begun = cls(item=item, product=product_of(item), due_at=clock.now())
        db.session.add(begun)
        begun._note(What.FULFILMENT_BEGUN, by=by)
        return begun

    def start_again(self, *, by: "Staff | None") -> None:
        """Try now, whatever the clock says; `by` is who asked. Raises Refused."""
        if refusal := self.refusal():
            raise Refused(refusal)
        if self.state is not FulfilmentState.WORKING:
            self._make_due()
            self._note(What.FULFILMENT_STARTED, by=by)
