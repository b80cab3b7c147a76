"""What an error of the conversation with the mail server means."""

import logging
import re
import smtplib
import ssl
from unicodedata import category

from portal.smtp.conversation import Conversation
from portal.smtp.outcome import Failure
from portal.smtp.reply import LEAST_FINAL, LEAST_NO, NotUnderstood
from portal.unexpected import write_down

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
# RFC 4954, 6 and RFC 3207, 4; RFC 1870, 6.
TO_BE_SIGNED_IN = 530
TOO_LARGE = 552
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
        code, words = error.smtp_code, _bytes(error.smtp_error)
        return _by_code(code, _refused(error, words, step)), _answer(code, words)
    if isinstance(error, NotUnderstood):
        return Failure.NOT_UNDERSTOOD, _readable(error.said) or None
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return _end_of(conversation, error)
    if isinstance(error, smtplib.SMTPException):  # the server lacks what this step needs
        return step, _readable(str(error).encode()) or None
    if isinstance(error, ssl.SSLEOFError):
        return Failure.DROPPED, None
    if isinstance(error, ssl.SSLError):
        return Failure.NOT_ENCRYPTED, str(error)
    return _broken(error)


def _refused(error: smtplib.SMTPResponseException, words: bytes, step: Failure) -> Failure:
    """What a final no means that is not about the recipient."""
    if error.smtp_code == TO_BE_SIGNED_IN:
        return Failure.NOT_ENCRYPTED if b"STARTTLS" in words.upper() else Failure.SIGN_IN_REFUSED
    if error.smtp_code == TOO_LARGE:  # some see it when they hear of the mail
        return Failure.MAIL_REFUSED
    return _REFUSED.get(type(error), step)


def _broken(error: Exception) -> tuple[Failure, str | None]:
    if isinstance(error, TimeoutError):
        return Failure.TIME_OUT, None
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return Failure.DROPPED, None
    if isinstance(error, OSError):
        return Failure.UNREACHABLE, error.strerror or str(error)
    write_down(log, "An e-mail could not be sent", error)
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
    if code >= LEAST_FINAL:
        return final
    # Below it is a yes, but none to what was said.
    return Failure.TRY_LATER if code >= LEAST_NO else Failure.NOT_UNDERSTOOD


def _answer(code: int, words: bytes) -> str:
    return f"{code} {_readable(words)}".strip()


def _readable(words: bytes) -> str:
    """What the server said, as far as people can read it and every database can keep it."""
    text = words.decode("utf-8", "replace")
    readable = "".join(sign for sign in text if sign == "\n" or category(sign) != "Cc").strip()
    return readable if len(readable) <= LONGEST_ANSWER else f"{readable[:LONGEST_ANSWER]}…"


def _bytes(words: bytes | str) -> bytes:
    """smtplib has some of its own among those of servers."""
    return words.encode() if isinstance(words, str) else words
