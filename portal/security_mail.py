"""The mails about passwords, which Flask-Security composes and Keydesk sends as its own."""

from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_security import EmailValidateException, MailUtil

from portal import smtp

# RFC 3696, with its errata: no address is longer.
LONGEST_ADDRESS = 320


class SecurityMail(MailUtil):
    """Sends Flask-Security's mails as Keydesk sends all of its own."""

    def normalize(self, email: str) -> str:
        """The one form of an address. Raises EmailValidateException."""
        if len(email) > LONGEST_ADDRESS:  # to read it may take as long as its square
            raise EmailValidateException(_("This is not an e-mail address."))
        return super().normalize(email)

    def send_mail(  # type: ignore[override]  # noqa: PLR0917 - Flask-Security's own shape
        self,
        template: str,
        subject: str,
        recipient: str,
        sender: str | tuple[str, str],
        body: str | None,
        html: str | None,
        **_context: Any,
    ) -> None:
        subject = f"{current_app.config['PORTAL_NAME']}: {subject}"
        outcome = smtp.hand_over(smtp.Message(subject, [recipient], body, html))
        if not outcome.accepted:
            current_app.logger.error(
                "The mail “%s” was not sent: %s %s", template, outcome.failure, outcome.answer
            )
