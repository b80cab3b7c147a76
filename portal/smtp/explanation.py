"""What an error of the conversation with the mail server means."""

import logging
import re
import smtplib
import ssl
from unicodedata import category

from portal.smtp.conversation import Conversation
from portal.smtp.outcome import Failure

log = logging.getLogger(__name__)

# What a final refusal means, where the error itself says at what.
_REFUSED = {
    smtplib.SMTPSenderRefused: Failure.SENDER_REFUSED,
    smtplib.SMTPDataError: Failure.MAIL_REFUSED,
    smtplib.SMTPConnectError: Failure.NOT_WELCOME,
    smtplib.SMTPHeloError: Failure.NOT_WELCOME,
    smtplib.SMTPAuthenticationError: Failure.SIGN_IN_REFUSED,
}
# RFC 3463: x.7.x is about what is allowed and not about the address, such as "relaying denied".
_POLICY = re.compile(rb"5\.7\.")
# Some quote policies and logs; nobody reads more, and each answer is kept twice.
LONGEST_ANSWER = 2_000


def explain(
    error: Exception, conversation: Conversation | None, step: Failure
) -> tuple[Failure, str | None]:
    """The failure that `error` means, and the server's own words where it said any.

    `step` is what a refusal means where the conversation was, see Connection.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        ((code, words),) = error.recipients.values()
        final = Failure.MAIL_REFUSED if _POLICY.match(words) else Failure.ADDRESS_REFUSED
        return _by_code(code, final), _answer(code, words)
    if isinstance(error, smtplib.SMTPResponseException):
        code = error.smtp_code
        return _by_code(code, _REFUSED.get(type(error), step)), _answer(code, error.smtp_error)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return _end_of(conversation, error)
    if isinstance(error, smtplib.SMTPException):  # the server lacks what this step needs
        return step, str(error) or None
    if isinstance(error, ssl.SSLEOFError):
        return Failure.DROPPED, None
    if isinstance(error, ssl.SSLError):
        return Failure.NOT_ENCRYPTED, str(error)
    return _broken(error)


def _broken(error: Exception) -> tuple[Failure, str | None]:
    if isinstance(error, TimeoutError):
        return Failure.TIME_OUT, None
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return Failure.DROPPED, None
    if isinstance(error, OSError):
        return Failure.UNREACHABLE, error.strerror or str(error)
    log.error("An e-mail could not be sent", exc_info=error)
    return Failure.UNEXPECTED, None


def _end_of(
    conversation: Conversation | None, error: smtplib.SMTPServerDisconnected
) -> tuple[Failure, str | None]:
    code, words = conversation.last_reply if conversation else (0, b"")
    if code == 421:  # RFC 5321, 3.8: it says this and leaves
        return Failure.TRY_LATER, _answer(code, words)
    # smtplib wraps the time-out of a read in this one
    timed_out = isinstance(error.__context__, TimeoutError)
    return (Failure.TIME_OUT if timed_out else Failure.DROPPED), None


def _by_code(code: int, final: Failure) -> Failure:
    return Failure.TRY_LATER if 400 <= code < 500 else final


def _answer(code: int, words: bytes | str) -> str:
    """What the server said, as far as people can read it and every database can keep it."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    readable = "".join(sign for sign in text if sign == "\n" or category(sign) != "Cc")
    shown = readable if len(readable) <= LONGEST_ANSWER else f"{readable[:LONGEST_ANSWER]}…"
    return f"{code} {shown}".strip()
