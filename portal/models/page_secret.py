"""What a checkout page's messages are signed with: known to its sender and to us.

Each way in has secrets of its own, two at a time, so that one can be changed without a message
being refused: the new one is added here, given to the sender, and then the older one is retired.
"""

import logging
import re
import secrets
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.database.types import UTCDateTime, words
from portal.extensions import Model, db
from portal.models.change import Change
from portal.models.checkout_page import CODE, CheckoutPage
from portal.models.refusal import Refusal, Refused
from portal.shared_secret import new_secret, sound_secret
from portal.vault import Unreadable, vault

if TYPE_CHECKING:
    from portal.models.staff import Staff

log = logging.getLogger(__name__)

SLOTS = (1, 2)
NOVENTIQ_TEXT = re.compile(r"[\x21-\x7e]{10,200}")


class Hook(StrEnum):
    """The ways in for messages about orders."""

    WEBHOOK = "webhook"
    NOVENTIQ = "noventiq"


class PageSecret(Model):
    """A secret: `sealed` is its text, see vault.py, and `name` is what to call it once nobody can
    see it any more."""

    __tablename__ = "page_secrets"
    __table_args__ = (
        UniqueConstraint("checkout_page_id", "hook", "slot"),
        CheckConstraint("slot IN (1, 2)", name="slot"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    checkout_page_id: Mapped[int] = mapped_column(ForeignKey("checkout_pages.id"))
    hook: Mapped[Hook] = mapped_column(words(Hook))
    slot: Mapped[int]
    name: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    checkout_page: Mapped["CheckoutPage"] = relationship()

    @classmethod
    def of(cls, page: CheckoutPage, hook: Hook) -> "list[PageSecret]":
        """The secrets of `page` for `hook`, the older one first."""
        query = db.select(cls).filter_by(checkout_page_id=page.id, hook=hook)
        return list(db.session.scalars(query.order_by(cls.created_at, cls.id)))

    @classmethod
    def known_by(cls, code: str, hook: Hook) -> tuple[int | None, list[str]]:
        """The id of the page with this code, and the texts of its secrets for `hook`.

        A page without any is like one that does not exist, and of each come as many texts, so that
        checking a signature takes as long: what is missing is made up, and known to nobody.
        """
        if not CODE.fullmatch(code):
            code = ""  # an address may hold what a database cannot look for
        query = db.select(cls).join(cls.checkout_page)
        query = query.where(CheckoutPage.code == code, cls.hook == hook)
        found = db.session.scalars(query).all()
        texts = [text for secret in found if (text := secret.text) is not None]
        page_id = found[0].checkout_page_id if texts else None
        return page_id, texts + [_fresh(hook) for _slot in SLOTS[len(texts) :]]

    @classmethod
    def add_refusal(cls, page: CheckoutPage, hook: Hook) -> Refusal | None:
        """Why `page` can get no further secret for `hook`, or None when it can."""
        if len(cls.of(page, hook)) < len(SLOTS):
            return None
        return Refusal(
            "two_secrets",
            _("The checkout page has two secrets already, which is the most."),
            _("Retire the older one, once nothing is signed with it any more."),
        )

    @classmethod
    def add(
        cls,
        page: CheckoutPage,
        hook: Hook,
        text: str | None = None,
        *,
        by: "Staff | None" = None,
        seen: int | None = None,
    ) -> str:
        """Give `page` one more secret, a fresh one or `text`, and return it: to be shown this once.
        `seen` is the newest change that whoever asks knows of, so that a page that is sent twice
        adds one secret. Raises Refused, or ValueError when `text` cannot be a secret.
        """
        text = _fresh(hook) if text is None else _sound(hook, text)
        page.lock()  # whoever adds another one waits here
        if refusal := cls.add_refusal(page, hook):
            raise Refused(refusal)
        if refusal := Change.since_refusal(page, seen):
            raise Refused(refusal)
        taken = {secret.slot for secret in cls.of(page, hook)}
        secret = cls(
            checkout_page_id=page.id,
            hook=hook,
            slot=next(slot for slot in SLOTS if slot not in taken),
            name=secrets.token_hex(4),
            created_at=clock.now(),
        )
        secret.sealed = vault().seal(text, secret.place)
        db.session.add(secret)
        Change.note(page, page.title, f"secret for {hook}", None, secret.name, by=by)
        return text

    def retire_refusal(self) -> Refusal | None:
        """Why this secret has to stay, or None when it can be retired."""
        if len(self.of(self.checkout_page, self.hook)) > 1:
            return None
        return Refusal(
            "only_secret",
            _("It is the only secret: without it every message would be refused."),
            _("Add the new one first."),
        )

    def retire(self, *, by: "Staff | None" = None) -> None:
        """What is signed with this secret is refused from now on. Raises Refused."""
        page = self.checkout_page
        page.lock()
        if refusal := self.retire_refusal():
            raise Refused(refusal)
        Change.note(page, page.title, f"secret for {self.hook}", self.name, None, by=by)
        db.session.delete(self)

    @property
    def place(self) -> str:
        """Where the text is sealed for."""
        return f"page secret:{self.checkout_page_id}:{self.hook}:{self.name}"

    @property
    def text(self) -> str | None:
        """The secret itself, or None when it cannot be read with the keys at hand."""
        try:
            return vault().open(self.sealed, self.place)
        except Unreadable as error:
            log.error("The secret %s of a checkout page is unreadable: %s", self.name, error)
            return None


def _fresh(hook: Hook) -> str:
    return new_secret() if hook is Hook.WEBHOOK else secrets.token_urlsafe(32)


def _sound(hook: Hook, text: str) -> str:
    """`text`, if it can be a secret. Raises ValueError, which does not quote it."""
    if hook is Hook.WEBHOOK:
        return sound_secret(text)
    if not NOVENTIQ_TEXT.fullmatch(text):
        raise ValueError(
            _("The secret must be 10 to 200 letters, digits and signs, without blanks.")
        )
    return text
