"""The people who sign in: agents, who answer customers, and operators, who run the portal."""

import secrets
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

from email_validator import EmailNotValidError, validate_email
from flask import current_app
from flask_security import UserMixin, hash_password
from sqlalchemy import JSON, Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.database.types import UTCDateTime, words
from portal.extensions import Model, db
from portal.security_mail import LONGEST_ADDRESS

if TYPE_CHECKING:
    from portal.models.checkout_page import CheckoutPage
    from portal.models.order import Order

staff_checkout_pages = Table(
    "staff_checkout_pages",
    Model.metadata,
    Column("staff_id", ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True),
    Column("checkout_page_id", ForeignKey("checkout_pages.id"), primary_key=True),
)


class Role(StrEnum):
    """An agent sees the orders of some checkout pages, an operator those of all; MAY says what each
    may do."""

    AGENT = "agent"
    OPERATOR = "operator"


# An address inside a company's own network is one too, and nobody is asked whether it exists.
read_address = partial(validate_email, check_deliverability=False, globally_deliverable=False)

MAY = {
    Role.AGENT: {"read", "resend", "fulfil", "replace"},
    Role.OPERATOR: {"read", "resend", "fulfil", "replace", "configure"},
}


class Staff(Model, UserMixin):
    """A person of the vendor's. One who was removed stays as a name in the history."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: uuid4().hex)
    # SHA-256 of the token that signs this person's requests to the API. The token is long and
    # random, so that a slow hash would protect nothing more.
    token_digest: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)
    # The ids of sessions that they have ended, with the time (Unix seconds) until which a copy of
    # the cookie would have lasted.
    ended_sessions: Mapped[dict[str, float]] = mapped_column(
        JSON, default=dict, server_default="{}"
    )
    role: Mapped[Role] = mapped_column(words(Role))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=clock.now)

    # With the person in one statement: who somebody is includes what they may see.
    checkout_pages: Mapped[list["CheckoutPage"]] = relationship(
        secondary=staff_checkout_pages, lazy="joined", order_by="CheckoutPage.title"
    )

    def may(self, deed: str) -> bool:
        """Whether this person may do `deed` at all ('read', 'resend', 'fulfil': see that an item
        gets its licenses, 'replace': put a license in the place of a faulty one, 'configure')."""
        return self.active and deed in MAY[self.role]

    @property
    def sees_all(self) -> bool:
        """Whether the orders of every checkout page are theirs to see."""
        return self.role is Role.OPERATOR

    def sees(self, order: "Order") -> bool:
        """Whether `order` is theirs to see."""
        page_ids = (page.id for page in self.checkout_pages)
        return self.sees_all or order.checkout_page_id in page_ids

    @classmethod
    def by_email(cls, email: str) -> "Staff | None":
        """The person with this address, present or removed."""
        query = db.select(cls).filter_by(email=one_form_of(email))
        return db.session.scalars(query).unique().one_or_none()

    @classmethod
    def by_token(cls, token: str) -> "Staff | None":
        """The person whose API token this is, if they still have access."""
        query = db.select(cls).filter_by(token_digest=_digest(token), active=True)
        return db.session.scalars(query).unique().one_or_none()

    def renew_token(self) -> str:
        """A fresh API token, which replaces the former. Only its digest is kept, so show it now."""
        token = f"keydesk_{secrets.token_urlsafe(32)}"
        self.token_digest = _digest(token)
        return token

    def end_session(self, session_id: str, *, until: float) -> None:
        """Let nobody use the session of this id any more, which would have lasted `until` (Unix
        seconds)."""
        db.session.refresh(self, with_for_update={"of": Staff})
        now = clock.now().timestamp()
        kept = {one: ends for one, ends in self.ended_sessions.items() if ends > now}
        self.ended_sessions = kept | {session_id: until}

    def set_password(self, password: str) -> None:
        """Let this person sign in with `password`, and end every session of theirs."""
        # As the sign-in page does it: an ö is one, whether a keyboard composes it or not.
        normalize = current_app.extensions["security"].password_util.normalize
        self.password = hash_password(normalize(password))
        self.fs_uniquifier = uuid4().hex

    def remove(self) -> None:
        """End this person's access at once; every session and the API token end too."""
        self.active = False
        self.password = None
        self.token_digest = None
        self.checkout_pages = []
        self.fs_uniquifier = uuid4().hex


def one_form_of(email: str) -> str:
    """The form in which an address is kept and looked up: in small letters, which is how people
    mean it, and as email-validator writes it. Not case-folded: straße@ is not strasse@."""
    if len(email) <= LONGEST_ADDRESS:
        with suppress(EmailNotValidError):
            email = read_address(email).normalized
    return email.strip().lower()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
