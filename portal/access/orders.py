"""The orders that are theirs to see, and what belongs to these: there is no other way to them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

from flask import abort
from sqlalchemy import Select, bindparam
from sqlalchemy.orm import contains_eager
from sqlalchemy.sql.base import ExecutableOption

from portal.access.person import current_staff
from portal.database.postgresql import planned_once
from portal.database.types import LARGEST_ID
from portal.extensions import db
from portal.models import CheckoutPage, Delivery, Item, License, Order
from portal.models.order_with_all import order_with_all

T = TypeVar("T")


def visible_pages() -> Sequence[CheckoutPage]:
    """The checkout pages whose orders the person who is asking may see."""
    return CheckoutPage.all() if current_staff.sees_all else current_staff.checkout_pages


def visible_message_ids(message_ids: Iterable[str]) -> set[str]:
    """Those of `message_ids` that are e-mails about orders which the person may see."""
    ids = [page.id for page in visible_pages()]
    query = db.select(Delivery.message_id).join(Delivery.order)
    query = query.where(Delivery.message_id.in_(list(message_ids)))
    return set(db.session.scalars(query.where(Order.checkout_page_id.in_(ids))))


def whole_order_or_404(number: str) -> Order:
    """The order with this number and all that its page shows, if it is theirs to see. This and the
    next four are the only ways to reach an order."""
    values = {"order_id": Order.id_of(number)}
    order = db.session.scalars(order_with_all(), values).unique().one_or_none()
    return _theirs_or_404(order, order)


def order_or_404(number: str, *options: ExecutableOption) -> Order:
    """The order with this number, if it is theirs to see. `options` are always the same objects."""
    values = {"order_id": Order.id_of(number)}
    order = db.session.scalars(_order_query(options), values).unique().one_or_none()
    return _theirs_or_404(order, order)


def license_or_404(number: str, license_id: int) -> License:
    """The license of an order that is theirs to see, in one statement with what it belongs to."""
    query = (
        db.select(License)
        .join(License.item)
        .join(Item.order)
        .where(License.id == _possible(license_id), Order.id == Order.id_of(number))
        .options(
            contains_eager(License.item).contains_eager(Item.order).joinedload(Order.checkout_page)
        )
    )
    license = db.session.scalars(query).one_or_none()
    return _theirs_or_404(license, license and license.item.order)


def item_or_404(number: str, item_id: int) -> Item:
    """The item of an order that is theirs to see, in one statement with what it belongs to."""
    query = (
        db.select(Item)
        .join(Item.order)
        .where(Item.id == _possible(item_id), Order.id == Order.id_of(number))
        .options(contains_eager(Item.order).joinedload(Order.checkout_page))
    )
    item = db.session.scalars(query).one_or_none()
    return _theirs_or_404(item, item and item.order)


def delivery_or_404(number: str, delivery_id: int) -> Delivery:
    """The delivery of an order that is theirs to see."""
    query = (
        db.select(Delivery)
        .join(Delivery.order)
        .where(Delivery.id == _possible(delivery_id), Order.id == Order.id_of(number))
        .options(contains_eager(Delivery.order))
    )
    delivery = db.session.scalars(query).one_or_none()
    return _theirs_or_404(delivery, delivery and delivery.order)


@lru_cache(maxsize=100)
def _order_query(options: tuple[ExecutableOption, ...]) -> Select[Order]:
    """To put this together takes as long as the database takes to answer it."""
    query = db.select(Order).where(Order.id == bindparam("order_id"))
    return planned_once(query.options(*options))


def _theirs_or_404(found: T | None, order: Order | None) -> T:
    """What was `found`, unless the `order` that it belongs to is none of theirs: an order of
    another checkout page and one that does not exist are answered alike."""
    if found is None or order is None or not current_staff.sees(order):
        abort(404)
    return found


def _possible(id_: int) -> int | None:
    """No larger id can be asked for."""
    return id_ if id_ <= LARGEST_ID else None
