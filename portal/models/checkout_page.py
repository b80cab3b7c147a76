"""The shop front an order came from: the unit of access and of settings."""

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy import String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.database.types import UTCDateTime
from portal.extensions import Model, db
from portal.languages import LANGUAGES, language_of
from portal.models.change import Change
from portal.models.page_settings import ADDRESS_LENGTH, SENDER_LENGTH, PageSettings
from portal.models.unsound import Unsound

if TYPE_CHECKING:
    from portal.models.staff import Staff

CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class CheckoutPage(Model):
    """For what its settings mean, see PageSettings."""

    __tablename__ = "checkout_pages"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(63), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    sender: Mapped[str | None] = mapped_column(String(SENDER_LENGTH))
    reply_to: Mapped[str | None] = mapped_column(String(ADDRESS_LENGTH))
    vendor_email: Mapped[str | None] = mapped_column(String(ADDRESS_LENGTH))
    delivery_allowed: Mapped[bool] = mapped_column(default=True)
    delivery_note: Mapped[str | None] = mapped_column(String(200))
    # Their words with blanks between them; None for all that there are, those of tomorrow included.
    language_words: Mapped[str | None] = mapped_column("languages", String(64))
    mails_per_minute: Mapped[int | None]
    next_mail_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=clock.now)

    @classmethod
    def by_code(cls, code: str) -> "CheckoutPage | None":
        """The checkout page of this code; None for what is no code."""
        if not CODE.fullmatch(code):
            return None
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

    @classmethod
    def add(cls, code: str, *, by: "Staff | None", **settings: Any) -> "CheckoutPage":
        """A new checkout page, for what PageSettings has. Raises Unsound."""
        if not CODE.fullmatch(code):
            raise Unsound({"code": _("Use small letters, digits and hyphens, 63 at most.")})
        page = cls(code=code, title="", delivery_allowed=True)
        checked = _checked({"title": "", **settings})
        try:
            with db.session.begin_nested():
                db.session.add(page)
        except IntegrityError:
            there = _("There is a checkout page %(code)s already.", code=code)
            raise Unsound({"code": there}) from None
        Change.note(page, checked["title"], "added", None, code, by=by)
        for field, value in checked.items():
            setattr(page, field, value)
        return page

    def change(self, *, by: "Staff | None", **settings: Any) -> None:
        """Change these settings, see PageSettings, and note each that was. Raises Unsound."""
        checked = _checked(settings)
        self.lock()
        for field, after in checked.items():
            before = getattr(self, field)
            Change.note(self, self.title, field, before, after, by=by)
            setattr(self, field, after)
            if field == "mails_per_minute" and before != after:
                self._begin_rate_anew()

    def _begin_rate_anew(self) -> None:
        # The outbox knows the pages, and is known here for as long as it takes.
        from portal.models import outbox

        outbox.give_up_slots(self)

    def lock(self) -> None:
        """Keep everybody else from changing this page until the transaction ends, and see it as it
        is now. SQLite locked when the transaction began, see sqlite.py."""
        db.session.flush()  # or what was changed and not written yet would be forgotten
        # What belongs to the page may be added: whoever does may hold what we go on to wait for.
        db.session.refresh(self, with_for_update={"key_share": True})

    @property
    def ban(self) -> str:
        """Says that delivery is forbidden, and why, where an operator noted it."""
        if self.delivery_note:
            return _(
                "Delivery is forbidden for the checkout page %(page)s: %(note)s",
                page=self.title,
                note=self.delivery_note,
            )
        return _("Delivery is forbidden for the checkout page %(page)s.", page=self.title)

    @property
    def languages(self) -> list[str]:
        """The languages that its customers get their mail in; the first is for all others."""
        return self.language_words.split() if self.language_words else list(LANGUAGES)

    @languages.setter
    def languages(self, languages: list[str]) -> None:
        words = " ".join(languages)
        self.language_words = None if words == " ".join(LANGUAGES) else words

    def language_for(self, locale: str) -> str:
        """The language of an e-mail to a customer whose order came with `locale`."""
        language = language_of(locale)
        return language if language in self.languages else self.languages[0]


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    try:
        return PageSettings.model_validate(settings).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise Unsound.of(error) from None
