"""The nouns of the portal: one file each, with its fields, its rules and its verbs."""

from portal.models.checkout_page import CheckoutPage
from portal.models.delivery import Delivery, DeliveryStatus
from portal.models.history import HistoryEntry, What
from portal.models.item import Item
from portal.models.license import License
from portal.models.order import Order, OrderStatus
from portal.models.refusal import Refusal, Refused
from portal.models.staff import Role, Staff

__all__ = [
    "CheckoutPage",
    "Delivery",
    "DeliveryStatus",
    "HistoryEntry",
    "Item",
    "License",
    "Order",
    "OrderStatus",
    "Refusal",
    "Refused",
    "Role",
    "Staff",
    "What",
]
