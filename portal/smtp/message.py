"""The bytes of a mail: what any mail server takes and any mail client reads as it was meant."""

from email.charset import QP, Charset
from email.header import Header
from email.message import Message as MimeMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr, quote
from unicodedata import category

import flask_mail
from email_validator import validate_email
from flask import current_app

from portal import clock

# RFC 5322, 2.1.1: no line has more than 998 characters, the name of its header included.
LONGEST_LINE = 900

_UTF8_QUOTED = Charset("utf-8")
_UTF8_QUOTED.body_encoding = QP


class Message(flask_mail.Message):
    """A mail to one address: plain text first, then HTML.

    `sender` is an address or a pair of name and address, MAIL_DEFAULT_SENDER unless given;
    `reply_to` is where answers go, if not there; `message_id` a Message-ID, a fresh one unless
    given.

    Flask-Mail's own bytes will not do: a name with a comma in it becomes two senders, an
    internationalised address another one, and long lines are cut by some mail servers.
    """

    def __init__(
        self,
        subject: str,
        recipients: list[str],
        body: str | None,
        html: str | None,
        *,
        sender: str | tuple[str, str] | None = None,
        reply_to: str | None = None,
        message_id: str | None = None,
    ) -> None:
        super().__init__(_one_line(subject), list(recipients), body, html)
        self.answer_to = deliverable(reply_to) if reply_to else None
        sender = sender or current_app.config["MAIL_DEFAULT_SENDER"]
        name, address = sender if isinstance(sender, tuple) else parseaddr(sender)
        self.sender = (_one_line(name), deliverable(address))
        self.to = deliverable(recipients[0])
        self.msgId = message_id or self.msgId

    @property
    def needs_utf8(self) -> bool:
        """Whether only a server with SMTPUTF8 (RFC 6531) can take it."""
        return not (self.to + self.sender[1]).isascii()

    def _message(self) -> MimeMessage:  # type: ignore[override]
        mail = MIMEMultipart("alternative")
        mail["Subject"] = _encoded(self.subject, "Subject")
        mail["From"] = _named(*self.sender)
        if self.answer_to:
            mail["Reply-To"] = self.answer_to
        mail["To"] = self.to
        mail["Date"] = format_datetime(clock.now())
        mail["Message-ID"] = self.msgId
        # RFC 3834: holiday notes and other machines do not answer to it.
        mail["Auto-Submitted"] = "auto-generated"
        for text, subtype in ((self.body, "plain"), (self.html, "html")):
            mail.attach(_quoted(text or "", subtype))
        # The headers are folded already; Python's way of folding them anew changes names.
        policy = SMTPUTF8 if self.needs_utf8 else SMTP
        mail.policy = policy.clone(refold_source="none")
        return mail


def deliverable(address: str) -> str:
    """`address` as mail servers know it: its domain in ASCII as IDNA 2008 says (RFC 5891), the
    part before the @ as it is. Raises ValueError."""
    if _one_line(address) != address or " " in address:
        raise ValueError("An address has neither blanks nor line ends.")
    if address.isascii():
        return address
    checked = validate_email(address, check_deliverability=False, globally_deliverable=False)
    return f"{checked.local_part}@{checked.ascii_domain}"


def default_address() -> str:
    """The address in MAIL_DEFAULT_SENDER."""
    return parseaddr(current_app.config["MAIL_DEFAULT_SENDER"])[1]


def _one_line(text: str) -> str:
    """`text` without what could end a header."""
    return "".join(sign for sign in " ".join(text.split()) if category(sign) not in ("Cc", "Cs"))


def _encoded(text: str, header: str) -> str:
    """`text` as a header carries it (RFC 2047), folded after the name of `header`."""
    if text.isascii() and "=?" not in text and len(text) < LONGEST_LINE:
        return text
    return Header(text, "utf-8", header_name=header).encode()


def _named(name: str, address: str) -> str:
    if not name:
        return address
    encoded = _encoded(name, "From")
    return f'"{quote(name)}" <{address}>' if encoded == name else f"{encoded} <{address}>"


def _quoted(text: str, subtype: str) -> MIMEText:
    """A part whose long lines arrive unbroken: quoted-printable.

    RFC 5321, 4.5.3.1.6: a mail server need not take lines of more than 998 characters.
    """
    return MIMEText(text, subtype, _UTF8_QUOTED)  # type: ignore[arg-type]
