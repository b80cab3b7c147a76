"""The mails about passwords, which Flask-Security composes and Keydesk sends as its own."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask, Response, after_this_request, current_app
from flask_babel import gettext as _
from flask_security import EmailValidateException, MailUtil

from portal import smtp
from portal.unexpected import write_down

# RFC 3696, with its errata: no address is longer.
LONGEST_ADDRESS = 320


class SecurityMail(MailUtil):
    """Sends Flask-Security's mails as Keydesk sends all of its own, and nobody waits for that: who
    asks for a link would learn from it who has access, and keep others from writing meanwhile."""

    def __init__(self, app: Flask):
        super().__init__(app)
        # No worker sends them: the link in them would have to be kept until one comes. A process
        # that is told to stop sends what is left first.
        self._senders = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password mail")
        app.extensions["password mails"] = self._senders

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
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        subject = f"{app.config['PORTAL_NAME']}: {subject}"
        message = smtp.Message(subject, [recipient], body, html)

        @after_this_request  # and so after what it tells of was committed
        def leave_to_sender(response: Response) -> Response:
            self._senders.submit(_send, app, template, message)
            return response


def _send(app: Flask, template: str, message: smtp.Message) -> None:
    with app.app_context():
        try:
            outcome = smtp.hand_over(message)
        except Exception as error:
            write_down(app.logger, f"The mail “{template}” was not sent", error)
            return
    if not outcome.accepted:
        # Not what the mail server answered, which may quote the address.
        was = "was not" if outcome.accepted is False else "may or may not have been"
        app.logger.error("The mail “%s” %s sent: %s", template, was, outcome.failure)
