"""What was changed in the settings: written once, with who, when, before and after."""

from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, String, Text, func
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from portal import clock
from portal.database.types import LARGEST_ID, UTCDateTime
from portal.extensions import Model, db
from portal.models.refusal import Refusal
from portal.models.staff import Staff

if TYPE_CHECKING:
    from portal.models.checkout_page import CheckoutPage
    from portal.models.pool import Pool
    from portal.models.product import Product

# What stands for a secret: that it was changed is worth knowing, to what is not.
HIDDEN = "•••"
ANOTHER = "another •••"

SHOWN = 100


class Change(Model):
    """One field of one thing. `noun` is the table of the thing, and `title` what it was called. Who
    changed it from the command line has no name here."""

    __tablename__ = "changes"
    __table_args__ = (Index(None, "noun", "noun_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    noun: Mapped[str] = mapped_column(String(32))
    noun_id: Mapped[int]
    title: Mapped[str] = mapped_column(String(255))
    field: Mapped[str] = mapped_column(String(64))
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)

    by: Mapped["Staff | None"] = relationship()

    @classmethod
    def note(
        cls,
        thing: "CheckoutPage | Product | Pool",
        title: str,
        field: str,
        before: object,
        after: object,
        *,
        by: "Staff | None",
    ) -> None:
        """Write down that `field` of `thing`, which has an id, was changed, if it was."""
        if before != after:
            db.session.add(
                cls(
                    at=clock.now(),
                    by_id=by.id if by else None,
                    noun=thing.__tablename__,
                    noun_id=thing.id,
                    title=title,
                    field=field,
                    before=_written(before),
                    after=_written(after),
                )
            )

    @classmethod
    def of(cls, thing: "CheckoutPage | Product | Pool") -> "list[Change]":
        """What was changed of `thing` last, newest first, with who changed it, in one statement."""
        who = joinedload(cls.by)
        query = (
            db.select(cls)
            .filter_by(noun=thing.__tablename__, noun_id=thing.id)
            .order_by(cls.at.desc(), cls.id.desc())
            .limit(SHOWN)
            .options(who.load_only(Staff.email), who.lazyload(Staff.checkout_pages))
        )
        return list(db.session.scalars(query))

    @classmethod
    def newest_id(cls, thing: "CheckoutPage | Product | Pool") -> int:
        """The id of the newest change of `thing`; 0 before the first."""
        query = db.select(func.max(cls.id)).filter_by(noun=thing.__tablename__, noun_id=thing.id)
        return db.session.scalar(query) or 0

    @classmethod
    def since(cls, thing: "CheckoutPage | Product | Pool", seen: int | None) -> "list[Change]":
        """What was changed of `thing` after the change of the id `seen`; nothing for None."""
        if seen is None or seen > LARGEST_ID:
            return []
        query = db.select(cls).filter_by(noun=thing.__tablename__, noun_id=thing.id)
        return list(db.session.scalars(query.where(cls.id > seen).order_by(cls.id)))

    @classmethod
    def since_refusal(
        cls, thing: "CheckoutPage | Product | Pool", seen: int | None
    ) -> Refusal | None:
        """Why nothing is done for somebody who knows of no newer change of `thing` than `seen`;
        None when there is none, or when it does not matter."""
        if seen is None or seen == cls.newest_id(thing):
            return None
        return Refusal(
            "changed_meanwhile",
            _("There was a change since the page was opened, so nothing was done."),
            _("Look at the changes, and try again if it is still needed."),
        )


def _written(value: object) -> str | None:
    """`value` in words, of which a list has several."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return None if value is None else str(value)
