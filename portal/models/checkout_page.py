"""The shop front an order came from: the unit of access and of settings."""

import re
from datetime import datetime, timedelta

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.database import UTCDateTime
from portal.extensions import Model, db

CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
# A Message-ID ends in the sender's domain, and has to fit into its column as well.
SENDER_LENGTH = 200


class CheckoutPage(Model):
    __tablename__ = "checkout_pages"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(63), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    # From which address its customers get their mail; MAIL_DEFAULT_SENDER's where there is none.
    sender: Mapped[str | None] = mapped_column(String(SENDER_LENGTH))
    # Where its customers' answers go, and where the vendor is told of what went wrong, if anywhere.
    reply_to: Mapped[str | None] = mapped_column(String(254))
    vendor_email: Mapped[str | None] = mapped_column(String(254))
    delivery_allowed: Mapped[bool] = mapped_column(default=True)
    # How many e-mails its customers get a minute at most; None for as many as there are.
    mails_per_minute: Mapped[int | None]
    next_mail_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=clock.now)

    @classmethod
    def by_code(cls, code: str) -> "CheckoutPage | None":
        """The checkout page of this code."""
        return db.session.scalars(db.select(cls).filter_by(code=code)).one_or_none()

    def next_mail_slot(self) -> datetime:
        """When the next e-mail to its customers may go, which is now or as the rate says. That
        moment is taken until the transaction ends: who asks next gets a later one."""
        db.session.refresh(self, with_for_update={"key_share": True})
        slot = max(clock.now(), self.next_mail_at or clock.now())
        if self.mails_per_minute:
            self.next_mail_at = slot + timedelta(minutes=1) / self.mails_per_minute
        return slot

    @classmethod
    def all(cls) -> "list[CheckoutPage]":
        """Every checkout page, by title."""
        return list(db.session.scalars(db.select(cls).order_by(cls.title, cls.id)))
