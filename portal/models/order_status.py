"""The main status of an order, and what may become of it."""

from enum import StrEnum


class OrderStatus(StrEnum):
    NOT_PAID = "not paid"
    PAID = "paid"
    DELETED = "deleted"
    TERMINATED = "terminated"

    def can_become(self, other: "OrderStatus") -> bool:
        """Whether an order in this status may get the status `other`."""
        return other is self or other in NEXT_STATUSES[self]

    @property
    def is_open(self) -> bool:
        """Whether a payment is still to come."""
        return self is OrderStatus.NOT_PAID

    @property
    def is_paid(self) -> bool:
        """Whether it has been paid for, and not taken back."""
        return self is OrderStatus.PAID


NEXT_STATUSES = {
    OrderStatus.NOT_PAID: {OrderStatus.PAID, OrderStatus.DELETED, OrderStatus.TERMINATED},
    OrderStatus.PAID: {OrderStatus.DELETED, OrderStatus.TERMINATED},
    OrderStatus.DELETED: set[OrderStatus](),
    OrderStatus.TERMINATED: set[OrderStatus](),
}
