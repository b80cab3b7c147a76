"""The nouns of the portal: one file each, with its fields, its rules and its verbs."""

from portal.models.awaited_order import AwaitedOrder
from portal.models.change import Change
from portal.models.checkout_page import CheckoutPage
from portal.models.delivery import Delivery, DeliveryStatus
from portal.models.endpoint import Endpoint
from portal.models.fulfilment import Fulfilment, FulfilmentState
from portal.models.history import HistoryEntry, What
from portal.models.item import Item
from portal.models.kept_bytes import KeptBytes
from portal.models.license import License
from portal.models.notice import Notice, NoticeKind
from portal.models.order import Order
from portal.models.order_status import OrderStatus
from portal.models.page_secret import Hook, PageSecret
from portal.models.pool import Pool
from portal.models.pool_license import PoolLicense, PoolWait
from portal.models.pool_upload import PoolUpload, UploadState
from portal.models.product import LicenseQuantity, Product, Tool
from portal.models.received_message import MessageOutcome, ReceivedMessage
from portal.models.refusal import Refusal, Refused
from portal.models.staff import Role, Staff
from portal.models.text import PageText, ProductText
from portal.models.unsound import Unsound

__all__ = [
    "AwaitedOrder",
    "Change",
    "CheckoutPage",
    "Delivery",
    "DeliveryStatus",
    "Endpoint",
    "Fulfilment",
    "FulfilmentState",
    "HistoryEntry",
    "Hook",
    "Item",
    "KeptBytes",
    "License",
    "LicenseQuantity",
    "MessageOutcome",
    "Notice",
    "NoticeKind",
    "Order",
    "OrderStatus",
    "PageSecret",
    "PageText",
    "Pool",
    "PoolLicense",
    "PoolUpload",
    "PoolWait",
    "Product",
    "ProductText",
    "ReceivedMessage",
    "Refusal",
    "Refused",
    "Role",
    "Staff",
    "Tool",
    "Unsound",
    "UploadState",
    "What",
]
