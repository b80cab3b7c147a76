"""What those find who may change the settings of the portal: they see all of it."""

from flask import abort

from portal.database.types import LARGEST_ID, LARGEST_SMALL_ID
from portal.extensions import db
from portal.models import CheckoutPage, PageSecret, Pool, PoolUpload, Product, ReceivedMessage


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


def pool_or_404(pool_id: int) -> Pool:
    """The pool of this id."""
    return (db.session.get(Pool, pool_id) if pool_id <= LARGEST_SMALL_ID else None) or abort(404)


def upload_or_404(pool_id: int, upload_id: int) -> PoolUpload:
    """The upload of this id, of this pool."""
    if max(pool_id, upload_id) > LARGEST_SMALL_ID:
        abort(404)
    query = db.select(PoolUpload).filter_by(id=upload_id, pool_id=pool_id)
    return db.session.scalars(query).one_or_none() or abort(404)
