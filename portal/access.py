"""Who is asking, and what is theirs: the only place where access is decided."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, abort, redirect, request, url_for
from flask_security import current_user as signed_in_user
from sqlalchemy import Select, bindparam
from sqlalchemy.orm import contains_eager
from sqlalchemy.sql.base import ExecutableOption
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response as BaseResponse

from portal import sessions
from portal.database.connections import SAFE_METHODS, planned_once
from portal.database.types import LARGEST_ID, LARGEST_SMALL_ID
from portal.extensions import csrf, db
from portal.models import (
    CheckoutPage,
    Delivery,
    Item,
    License,
    Order,
    PageSecret,
    Product,
    ReceivedMessage,
    Staff,
)

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

current_staff = cast(Staff, signed_in_user)

# Reached without signing in; a test walks every other route as a stranger.
PUBLIC = {"static", "security.login", "security.forgot_password", "security.reset_password"}


def init_app(app: Flask) -> None:
    app.after_request(_lead_htmx_along)
    app.extensions["security"].unauthn_handler(lambda *_ways, headers: to_sign_in())
    app.add_url_rule("/", "home", lambda: redirect(url_for("orders.index")))


def staff_only(*, may: str) -> Callable[[Callable[P, R]], Callable[P, R | BaseResponse]]:
    """Let in who signed in and may do `may`; the others see the sign-in page, or 403."""

    def decorate(view: Callable[P, R]) -> Callable[P, R | BaseResponse]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | BaseResponse:
            if not signed_in_user.is_authenticated:
                return to_sign_in()
            if not current_staff.may(may):
                abort(403)
            return view(*args, **kwargs)

        guarded.may = may  # type: ignore[attr-defined]
        return guarded

    return decorate


def token_only(*, may: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let in who signs the request with an API token (RFC 6750, 2.1) and may do `may`; the others
    get 401 or 403. Sessions do not count here, so no CSRF token is needed: no browser adds an API
    token by itself."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            person = Staff.by_token(_bearer_token())
            if person is None:
                db.session.rollback()  # the refusal is counted yet, see rate_limits.py
                raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"realm": "Keydesk"}))
            sessions.asks_as(person)
            if not person.may(may):
                abort(403)
            return view(*args, **kwargs)

        guarded.may = may  # type: ignore[attr-defined]
        guarded.signed_by_token = True  # type: ignore[attr-defined]
        return csrf.exempt(guarded)

    return decorate


def signed_messages(view: Callable[P, R]) -> Callable[P, R]:
    """Let in who signs the message with a secret of the checkout page, which the view sees to:
    what has to be signed differs. Sessions do not count here, so no CSRF token is needed."""
    view.signed_by_page = True  # type: ignore[attr-defined]
    return csrf.exempt(view)


def visible_pages() -> Sequence[CheckoutPage]:
    """The checkout pages whose orders the person who is asking may see."""
    return CheckoutPage.all() if current_staff.sees_all else current_staff.checkout_pages


def visible_message_ids(message_ids: Iterable[str]) -> set[str]:
    """Those of `message_ids` that are e-mails about orders which the person may see."""
    ids = [page.id for page in visible_pages()]
    query = db.select(Delivery.message_id).join(Delivery.order)
    query = query.where(Delivery.message_id.in_(list(message_ids)))
    return set(db.session.scalars(query.where(Order.checkout_page_id.in_(ids))))


def order_or_404(number: str, *options: ExecutableOption) -> Order:
    """The order with this number, if it is theirs to see. This and the next three are the only
    ways to reach an order. `options` are always the same objects."""
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


def checkout_page_or_404(code: str) -> CheckoutPage:
    """The checkout page of this code, for those who may change its settings: they see all."""
    return CheckoutPage.by_code(code) or abort(404)


def product_or_404(product_id: int) -> Product:
    """The product with this id, for those who may set it up: they see all."""
    known = product_id <= LARGEST_SMALL_ID
    return (db.session.get(Product, product_id) if known else None) or abort(404)


def secret_or_404(code: str, secret_id: int) -> PageSecret:
    """The secret of a checkout page, for those who may change its settings."""
    page, known = checkout_page_or_404(code), secret_id <= LARGEST_SMALL_ID
    secret = db.session.get(PageSecret, secret_id) if known else None
    return secret if secret and secret.checkout_page_id == page.id else abort(404)


def message_or_404(code: str, message_id: int) -> ReceivedMessage:
    """What a checkout page sent, for those who may change its settings."""
    page, known = checkout_page_or_404(code), message_id <= LARGEST_ID
    message = db.session.get(ReceivedMessage, message_id) if known else None
    return message if message and message.checkout_page_id == page.id else abort(404)


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


def _bearer_token() -> str:
    signature = request.authorization
    return (signature.token or "") if signature and signature.type == "bearer" else ""


def has_to_sign_in() -> bool:
    """Whether nobody, or nobody any more, has signed in where somebody has to."""
    return request.endpoint not in PUBLIC and not signed_in_user.is_authenticated


def to_sign_in() -> BaseResponse:
    """The sign-in page, which leads back to the page that the person was on."""
    return redirect(url_for("security.login", next=_page_they_are_on()))


def _page_they_are_on() -> str | None:
    """Its address without the host. What asked may have been a fragment of it or a form on it, and
    neither is a page to come back to."""
    if request.method in SAFE_METHODS and "HX-Request" not in request.headers:
        return request.full_path.rstrip("?")
    try:
        page = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    except ValueError:
        return None
    return urlunsplit(("", "", page.path, page.query, "")) if page.netloc == request.host else None


def _lead_htmx_along(response: Response) -> Response:
    """A redirect under htmx would be followed inside its request and end up in a fragment's place;
    the person means to go to that page."""
    if "HX-Request" in request.headers and response.status_code in (301, 302, 303, 307, 308):
        response.headers["HX-Redirect"] = response.headers.pop("Location")
        response.status_code = 200
        response.set_data("")
    return response
