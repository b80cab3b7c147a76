"""One piece of license information saved for an item, and the rule for sending it again."""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, LargeBinary, Select, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.database.tables import insert_many, rows_of
from portal.database.types import BigId, UTCDateTime
from portal.extensions import Model, db
from portal.models.delivery import Delivery, DeliveryStatus, delivery_licenses
from portal.models.license_names import name_of
from portal.models.refusal import Refusal, Refused
from portal.vault import Unreadable, vault

if TYPE_CHECKING:
    from portal.models.item import Item
    from portal.models.order import Order
    from portal.models.staff import Staff

log = logging.getLogger(__name__)


class License(Model):
    """A license as it was received. `sealed` is its text, see vault.py; `digest` and `tail_digest`
    find it; `position` counts the licenses of an item from 1."""

    __tablename__ = "licenses"
    __table_args__ = (
        UniqueConstraint("item_id", "position"),
        Index(None, "digest"),
        Index(None, "tail_digest"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id", ondelete="CASCADE"))
    position: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    tail_digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    # A faulty license that another one took the place of; it never goes back to a pool.
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_because: Mapped[str | None] = mapped_column(String(200))
    # What came from a pool came from there once: the database says no to the second.
    pool_license_id: Mapped[int | None] = mapped_column(
        ForeignKey("pool_licenses.id"), unique=True, index=True
    )

    item: Mapped["Item"] = relationship(back_populates="licenses")

    @property
    def order(self) -> "Order":
        return self.item.order

    @property
    def name(self) -> str:
        """What to call it beside the others of its order."""
        return name_of(self)

    @staticmethod
    def place(order_id: int, ref: str, position: int) -> str:
        """Where a text is sealed for: the license numbered `position` of an item of an order."""
        return f"license:{order_id}:{position}:{ref}"

    @cached_property
    def text(self) -> str | None:
        """The license itself, or None when it cannot be read with the keys at hand."""
        place = self.place(self.item.order_id, self.item.ref, self.position)
        try:
            return vault().open(self.sealed, place)
        except Unreadable as error:
            log.error(
                "License %s of order %s is unreadable: %s", self.id, self.item.order_id, error
            )
            return None

    @classmethod
    def saved(cls, item: "Item", text: str) -> "License":
        """`text`, trimmed at both ends, saved as the next license of `item`."""
        license = cls(**cls._row(item, len(item.licenses) + 1, text))
        item.licenses.append(license)
        return license

    @classmethod
    def save_all(
        cls, item: "Item", texts: Sequence[str], *, pool_license_ids: Sequence[int | None]
    ) -> None:
        """Save `texts` as the next licenses of `item`, however many they are: in a few statements,
        and nobody has to read them again."""
        first = len(item.licenses) + 1
        rows = [
            cls._row(item, number, text) | {"item_id": item.id, "pool_license_id": source}
            for number, (text, source) in enumerate(
                zip(texts, pool_license_ids, strict=True), first
            )
        ]
        insert_many(cls, rows_of(cls, rows))
        db.session.expire(item, ["licenses"])

    @classmethod
    def put_into(cls, delivery: Delivery, *, first: int) -> None:
        """Have `delivery` carry the licenses of its item from the `first` one on, however many they
        are."""
        db.session.flush()
        carried = db.select(db.literal(delivery.id), cls.id).where(
            cls.item_id == delivery.item_id, cls.position >= first
        )
        db.session.execute(
            delivery_licenses.insert().from_select(["delivery_id", "license_id"], carried)
        )
        db.session.expire(delivery, ["licenses"])

    @classmethod
    def _row(cls, item: "Item", position: int, text: str) -> dict[str, Any]:
        text, safe = text.strip(), vault()
        return {
            "position": position,
            "sealed": safe.seal(text, cls.place(item.order_id, item.ref, position)),
            "digest": safe.digest(text),
            "tail_digest": safe.tail_digest(text),
            "received_at": clock.now(),
        }

    def resend_refusal(self) -> Refusal | None:
        """Why this license cannot be sent now, or None when it can. The first reason counts."""
        if refusal := self.item.delivery_refusal():
            return refusal
        if self.revoked_at:
            return Refusal(
                "license_revoked",
                _("This license was replaced: %(reason)s", reason=self.revoked_because),
                _("Send the one that took its place."),
            )
        if self.text is None:
            return Refusal(
                "license_unreadable",
                _("The saved license cannot be read."),
                _("Tell an operator: a key of the vault is missing, or the license is damaged."),
                for_operators=_("A key of the vault is missing, or the license is damaged."),
            )
        return None

    def replacement_refusal(self) -> Refusal | None:
        """Why another license cannot take the place of this one, or None when it can. One that
        cannot be read, or cannot be sent at the moment, may well be replaced."""
        unpaid = _("A license can be replaced while the order is paid.")
        if refusal := self.item.closed_refusal(unpaid=unpaid):
            return refusal
        if self.revoked_at:
            return Refusal(
                "license_replaced",
                _("This license was replaced before: %(reason)s", reason=self.revoked_because),
                _("Look at the one that took its place before you replace that as well."),
            )
        return None

    def resend(self, *, by: "Staff", token: str, to: str | None = None) -> Delivery:
        """Write down one more delivery of this license; the postman takes it from there.

        `token` is the one-use token of the confirmation, and `to` the address that was confirmed,
        if one was. Raises Refused.
        """
        if refusal := self.resend_refusal() or self.order.address_refusal(to):
            raise Refused(refusal)
        delivery = Delivery.of(self.order, [self], by=by, token=token)
        db.session.add(delivery)
        return delivery

    @property
    def last_delivery(self) -> Delivery | None:
        """The newest delivery of this license, whatever became of it."""
        return db.session.scalars(self._deliveries()).first()

    @property
    def last_sent_delivery(self) -> Delivery | None:
        """The newest delivery of this license that a mail server accepted, though it may have come
        back since."""
        accepted = Delivery.status.in_([DeliveryStatus.SENT, DeliveryStatus.BOUNCED])
        return db.session.scalars(self._deliveries().where(accepted)).first()

    @property
    def queued_delivery(self) -> Delivery | None:
        """The newest delivery of this license that is to be sent, or tried again."""
        query = self._deliveries().where(Delivery.status == DeliveryStatus.QUEUED)
        return db.session.scalars(query).first()

    def _deliveries(self) -> Select[Delivery]:
        return (
            db.select(Delivery)
            .join(delivery_licenses)
            .where(delivery_licenses.c.license_id == self.id)
            .order_by(Delivery.id.desc())
            .limit(1)
        )
