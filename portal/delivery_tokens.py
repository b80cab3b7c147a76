"""A token leads to one delivery, however often it is sent: a double click, a reload, a program that
asks again."""

from collections.abc import Callable

from sqlalchemy.exc import IntegrityError

from portal.extensions import db
from portal.models import Delivery, Order


class TokenSpent(Exception):
    """The token has led to a delivery of something else."""


def redeem(
    token: str, order: Order, deed: Callable[[], Delivery], *, fits: Callable[[Delivery], bool]
) -> tuple[Delivery, bool]:
    """The delivery that `token` leads to, committed, and whether it is a new one: `deed` is done
    for its first use, with `order` locked. Raises TokenSpent when it was used before, for a
    delivery that does not fit what is asked for now, and what `deed` raises."""
    order.lock()
    if done := Delivery.by_token(token):
        if not fits(done):
            raise TokenSpent
        return done, False
    delivery = deed()
    try:
        db.session.commit()
    except IntegrityError:  # at the same moment the token was used for another order
        db.session.rollback()
        raise TokenSpent from None
    return delivery, True
