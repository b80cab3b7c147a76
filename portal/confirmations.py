"""A confirmation leads to one delivery, however often it is sent: a double click, a reload."""

import secrets
from collections.abc import Callable

from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.validators import Regexp

from portal.delivery_tokens import TokenSpent, redeem
from portal.models import Delivery, Item, Order


class Unfinished(Exception):
    """What was entered has to be corrected first; the form says where."""


class Confirmation(FlaskForm):  # type: ignore[misc]
    """A form with a token that is good for one delivery."""

    # No token of the API's (api.py): these can be worked out from a key that is easy to guess.
    token = HiddenField(validators=[Regexp(r"^(?!api-)[A-Za-z0-9_-]{20,64}$")])
    # The address that the question named: the order may have another one by the time of the answer.
    to = HiddenField(filters=[lambda text: text or None])

    def is_meant_for(self, order: Order) -> str | None:
        """What to say where the order has another address by now, which the question names from
        here on."""
        refusal = order.address_refusal(self.to.data)
        self.to.data = order.email
        return refusal.in_full if refusal else None


def new_token() -> str:
    """A fresh one, for one question."""
    return secrets.token_urlsafe(24)


def once(form: Confirmation, item: Item, deed: Callable[[], Delivery]) -> Delivery:
    """The delivery that the confirmation leads to, committed: `deed` is done for its first use,
    with the order locked. Raises TokenSpent when its token is none or was used for something else,
    and what `deed` raises."""
    if not form.token.validate(form):
        raise TokenSpent
    token = str(form.token.data)
    delivery, _is_new = redeem(token, item.order, deed, fits=lambda done: done.item_id == item.id)
    return delivery
