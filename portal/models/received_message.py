"""A message about an order, as a checkout page sent it, and what became of it.

It is written down in the same transaction as what it brings about, and once by its id: the same
message again is answered like the first time and changes nothing. After 30 days it is forgotten.
"""

import logging
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, delete, false
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, foreign, joinedload, mapped_column, relationship

from portal import clock
from portal.database.types import BigId, UTCDateTime, words
from portal.extensions import Model, db
from portal.models.kept_bytes import KeptBytes
from portal.models.order import Order
from portal.models.page_secret import Hook
from portal.models.refusal import Refusal, Refused
from portal.vault import Unreadable, vault

if TYPE_CHECKING:
    from portal.models.checkout_page import CheckoutPage
    from portal.models.staff import Staff

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=30)
FORGOTTEN_AT_ONCE = 1_000
ID_LENGTH = 128
TYPE_LENGTH = 64
NUMBER_LENGTH = 15


class MessageOutcome(StrEnum):
    """What became of a message: its order was imported, updated, or as it says already; or it was
    not taken in."""

    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"  # about something that Keydesk has no use for
    REJECTED = "rejected"


class ReceivedMessage(Model):
    """`sealed` is the body, see vault.py: it names the customer, and may hold licenses. It is None
    where the customer's data was erased, before it came or after, and of what was `left_out`, see
    KeptBytes. `complaint` says of a rejected one what is wrong, as `field: what`, and never what
    the field holds."""

    __tablename__ = "received_messages"
    __table_args__ = (
        UniqueConstraint("checkout_page_id", "hook", "message_id"),
        Index(None, "received_at"),
        Index(None, "order_id"),
        Index(None, "checkout_page_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    checkout_page_id: Mapped[int] = mapped_column(ForeignKey("checkout_pages.id"))
    hook: Mapped[Hook] = mapped_column(words(Hook))
    message_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    type: Mapped[str | None] = mapped_column(String(TYPE_LENGTH))
    order_id: Mapped[int | None] = mapped_column(BigId)  # no foreign key: it may not have come in
    order_number: Mapped[str | None] = mapped_column(String(NUMBER_LENGTH))
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    outcome: Mapped[MessageOutcome | None] = mapped_column(words(MessageOutcome))
    complaint: Mapped[str | None] = mapped_column(Text)
    left_out: Mapped[bool] = mapped_column(default=False, server_default=false())
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    replayed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    replayed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    checkout_page: Mapped["CheckoutPage"] = relationship()
    replayed_by: Mapped["Staff | None"] = relationship()
    # Whoever has the number, which may be an order of another checkout page.
    order: Mapped[Order | None] = relationship(
        primaryjoin=lambda: foreign(ReceivedMessage.order_id) == Order.id, viewonly=True
    )

    @classmethod
    def first_of_its_id(cls, page_id: int, hook: Hook, message_id: str) -> "ReceivedMessage | None":
        """The message, written down without an outcome or a body; None when one of this id is
        there.

        Waits for whoever is writing the same one down, until it is known whether that succeeded.
        """
        dialect: Any = sqlite if db.engine.dialect.name == "sqlite" else postgresql
        insert = dialect.insert(cls).values(
            checkout_page_id=page_id,
            hook=hook,
            message_id=message_id,
            received_at=clock.now(),
        )
        return db.session.scalars(insert.on_conflict_do_nothing().returning(cls)).one_or_none()

    @classmethod
    def by_message_id(cls, page_id: int, hook: Hook, message_id: str) -> "ReceivedMessage":
        """The message of this id, which is there."""
        query = db.select(cls).filter_by(checkout_page_id=page_id, hook=hook, message_id=message_id)
        return db.session.scalars(query).one()

    @classmethod
    def newest(
        cls, page: "CheckoutPage", *, before: int | None = None, limit: int = 50
    ) -> "list[ReceivedMessage]":
        """The messages of `page`, newest first; `before` is the id that the last list ended on."""
        order = joinedload(cls.order).load_only(Order.checkout_page_id)
        query = (
            db.select(cls)
            .filter_by(checkout_page_id=page.id)
            .options(order.joinedload(Order.checkout_page))
            .order_by(cls.id.desc())
        )
        if before is not None:
            query = query.where(cls.id < before)
        return list(db.session.scalars(query.limit(limit)))

    @classmethod
    def forget_old(cls) -> int:
        """Forget what came more than 30 days ago, 1,000 at once; says how many. Commits nothing."""
        old = cls.received_at < clock.now() - KEPT_FOR
        ids = db.select(cls.id).where(old).order_by(cls.received_at).limit(FORGOTTEN_AT_ONCE)
        return int(db.session.execute(delete(cls).where(cls.id.in_(ids))).rowcount)  # type: ignore[attr-defined]

    def concern(self, type_: object, number: object) -> None:
        """Write down what the message says it is about, as far as that can be understood."""
        if isinstance(type_, str) and type_.isprintable() and len(type_) <= TYPE_LENGTH:
            self.type = type_
        if isinstance(number, str) and len(number) <= NUMBER_LENGTH:
            self.order_id = Order.id_of(number)
            self.order_number = number if self.order_id is not None else None

    def keep(self, body: str) -> None:
        """Keep what was sent, where there is room for it today. Commit soon, see KeptBytes."""
        with db.session.no_autoflush:  # what became of it is written down along with it
            if KeptBytes.have_room(self.checkout_page_id, len(body.encode())):
                self.sealed = vault().seal(body, self.place)
            else:
                self.left_out = True

    @property
    def body(self) -> str | None:
        """What was sent, or None when it was not kept, was erased, or cannot be read with the keys
        at hand."""
        if self.sealed is None:
            return None
        try:
            return vault().open(self.sealed, self.place)
        except Unreadable as error:
            log.error("The message %s is unreadable: %s", self.id, error)
            return None

    @property
    def place(self) -> str:
        """Where the body is sealed for."""
        return f"message:{self.checkout_page_id}:{self.hook}:{self.message_id}"

    def number_refusal(self) -> Refusal | None:
        """Why a rejected message cannot have its number, or None when it can: whoever knows the
        secret of one checkout page can take the numbers of the others."""
        if self.outcome is not MessageOutcome.REJECTED or self.order is None:
            return None
        if self.order.checkout_page_id == self.checkout_page_id:
            return None
        page = self.order.checkout_page.title
        return Refusal(
            "number_taken",
            _("Its number is taken by an order of %(page)s.", page=page),
            _("Look at that order; if it is not genuine, give that checkout page a new secret."),
        )

    def replay_refusal(self) -> Refusal | None:
        """Why this message cannot be taken in again, or None when it can."""
        if self.outcome is not MessageOutcome.REJECTED:
            return Refusal(
                "not_rejected",
                _("The message was not rejected: what it said is in the order."),
                _("There is nothing to do."),
            )
        if self.left_out:
            return Refusal(
                "message_not_kept",
                _("The message cannot be taken in again: what it said was not kept."),
                _("Have its sender send it again, with another id."),
            )
        if self.body is None:
            return Refusal(
                "message_erased",
                _("The message cannot be read any more: it was erased, or a key is missing."),
                _("Have its sender send it again, with another id."),
            )
        return None

    def replay(self, *, by: "Staff | None") -> None:
        """Take a rejected message in again, on the very way that it took when it came: what it met
        there may be different by now. Raises Refused. Commits nothing."""
        # The ways in know the models, and are known here for as long as it takes.
        from portal.intake.reception import take_in

        db.session.refresh(self)
        if refusal := self.replay_refusal():
            raise Refused(refusal)
        if not take_in(self, self.body or ""):
            self.sealed = None
        self.replayed_at, self.replayed_by = clock.now(), by
        db.session.flush()
