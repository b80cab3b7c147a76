"""Who is asking, and what is theirs: the only place where access is decided."""

from portal.access.orders import (
    delivery_or_404,
    item_or_404,
    license_or_404,
    order_or_404,
    visible_message_ids,
    visible_pages,
    whole_order_or_404,
)
from portal.access.person import current_staff, signed_messages, staff_only, token_only
from portal.access.settings import (
    checkout_page_or_404,
    message_or_404,
    pool_or_404,
    product_or_404,
    secret_or_404,
    upload_or_404,
)

__all__ = [
    "checkout_page_or_404",
    "current_staff",
    "delivery_or_404",
    "item_or_404",
    "license_or_404",
    "message_or_404",
    "order_or_404",
    "pool_or_404",
    "product_or_404",
    "secret_or_404",
    "signed_messages",
    "staff_only",
    "token_only",
    "upload_or_404",
    "visible_message_ids",
    "visible_pages",
    "whole_order_or_404",
]
