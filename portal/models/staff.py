"""The people who sign in: agents, who answer customers, and operators, who run the portal."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from flask_security import UserMixin
from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.database import UTCDateTime, words
from portal.extensions import Model, db

if TYPE_CHECKING:
    from portal.models.checkout_page import CheckoutPage

staff_checkout_pages = Table(
    "staff_checkout_pages",
    Model.metadata,
    Column("staff_id", ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True),
    Column("checkout_page_id", ForeignKey("checkout_pages.id"), primary_key=True),
)


class Role(StrEnum):
    AGENT = "agent"
    OPERATOR = "operator"


MAY = {
    Role.AGENT: {"read", "resend"},
    Role.OPERATOR: {"read", "resend"},
}


class Staff(Model, UserMixin):
    """A person of the vendor's. One who was removed stays as a name in the history."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: uuid4().hex)
    role: Mapped[Role] = mapped_column(words(Role))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=clock.now)

    # With the person in one statement: who somebody is includes what they may see.
    checkout_pages: Mapped[list["CheckoutPage"]] = relationship(
        secondary=staff_checkout_pages, lazy="joined", order_by="CheckoutPage.title"
    )

    def may(self, deed: str) -> bool:
        """Whether this person may do `deed` at all ('read', 'resend')."""
        return self.active and deed in MAY[self.role]

    @property
    def sees_all(self) -> bool:
        """Whether the orders of every checkout page are theirs to see."""
        return self.role is Role.OPERATOR

    @classmethod
    def by_email(cls, email: str) -> "Staff | None":
        """The person with this address, present or removed."""
        query = db.select(cls).filter_by(email=email.strip().casefold())
        return db.session.scalars(query).unique().one_or_none()

    def remove(self) -> None:
        """End this person's access at once; every session of theirs ends too."""
        self.active = False
        self.password = None
        self.checkout_pages = []
        self.fs_uniquifier = uuid4().hex
