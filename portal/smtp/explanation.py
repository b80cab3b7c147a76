"""What an error of the conversation with the mail server means."""

import logging
import re
import smtplib
import ssl
from unicodedata import category

from portal.smtp import reply
from portal.smtp.conversation import Conversation
from portal.smtp.outcome import Failure
from portal.smtp.reply import NotUnderstood
from portal.unexpected import write_down

log = logging.getLogger(__name__)

# What a final refusal means, where the error itself says at what.
_REFUSED = {
    smtplib.SMTPSenderRefused: Failure.SENDER_REFUSED,
    smtplib.SMTPRecipientsRefused: Failure.ADDRESS_REFUSED,
    smtplib.SMTPDataError: Failure.MAIL_REFUSED,
    smtplib.SMTPConnectError: Failure.NOT_WELCOME,
    smtplib.SMTPHeloError: Failure.NOT_WELCOME,
    smtplib.SMTPAuthenticationError: Failure.SIGN_IN_REFUSED,
}
# What it means where the server says itself what it is about: many refuse the sender only when they
# hear of the recipient, and some the recipient only when they have the mail.
# RFC 3463, 3: the sender; the recipient and the mailbox; the size, or what is allowed, such as
# relaying. RFC 6531, 4: letters beyond ASCII.
_ABOUT = {
    re.compile(rb"5\.1\.[78]\b"): Failure.SENDER_REFUSED,
    re.compile(rb"5\.(1\.([1-46]|10)|2\.[12])\b"): Failure.ADDRESS_REFUSED,
    re.compile(rb"5\.6\.[79]\b"): Failure.ADDRESS_NOT_SUPPORTED,
    re.compile(rb"5\.(2\.3|3\.4|7\.[0-9]+)\b"): Failure.MAIL_REFUSED,
}
# RFC 4954, 6 and RFC 3207, 4: to any command.
TO_BE_SIGNED_IN = 530
# Codes that are about something else than what they were said to.
_ELSEWHERE = {
    # RFC 1870, 6: some see the size when they hear of the mail.
    (smtplib.SMTPSenderRefused, 552): Failure.MAIL_REFUSED,
    # RFC 5321, 4.2.3: a command is out of sequence, such as before a sign-in; no mail is.
    (smtplib.SMTPSenderRefused, 503): Failure.NOT_WELCOME,
    (smtplib.SMTPRecipientsRefused, 503): Failure.NOT_WELCOME,
    (smtplib.SMTPDataError, 503): Failure.NOT_WELCOME,
}
# Some quote policies and logs; nobody reads more, and each answer is kept twice.
LONGEST_ANSWER = 2_000


def explain(
    error: Exception, conversation: Conversation | None, step: Failure
) -> tuple[Failure, str | None]:
    """The failure that `error` means, and the server's own words where it said any.

    `step` is what a refusal means where the conversation was, see Connection.
    """
    code, words = reply.behind(error)
    if code:
        return _by_code(code, _refused(error, code, words, step)), _answer(code, words)
    if isinstance(error, NotUnderstood):
        return Failure.NOT_UNDERSTOOD, _readable(error.said) or None
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return _end_of(conversation, error)
    if isinstance(error, smtplib.SMTPException):  # the server lacks what this step needs
        return step, _readable(str(error).encode()) or None
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Failure.DROPPED, None
    if isinstance(error, ssl.SSLError):
        return Failure.NOT_ENCRYPTED, str(error)
    return _broken(error)


def _refused(error: Exception, code: int, words: bytes, step: Failure) -> Failure:
    """What a final no is about."""
    if code == TO_BE_SIGNED_IN:
        return Failure.NOT_ENCRYPTED if b"STARTTLS" in words.upper() else Failure.SIGN_IN_REFUSED
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        for about, failure in _ABOUT.items():
            if about.match(words):
                return failure
    return _ELSEWHERE.get((type(error), code)) or _REFUSED.get(type(error), step)


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
    if code == reply.LEAVES:
        return Failure.TRY_LATER, _answer(code, words)
    # smtplib wraps the time-out of a read in this one
    timed_out = isinstance(error.__context__, TimeoutError)
    return (Failure.TIME_OUT if timed_out else Failure.DROPPED), None


def _by_code(code: int, final: Failure) -> Failure:
    if code >= reply.LEAST_FINAL:
        return final
    # Below it is a yes, but none to what was said.
    return Failure.TRY_LATER if code >= reply.LEAST_NO else Failure.NOT_UNDERSTOOD


def _answer(code: int, words: bytes) -> str:
    return f"{code} {_readable(words)}".strip()


def _readable(words: bytes) -> str:
    """What the server said, as far as people can read it and every database can keep it."""
    text = words.decode("utf-8", "replace")
    readable = "".join(sign for sign in text if sign == "\n" or category(sign) != "Cc").strip()
    return readable if len(readable) <= LONGEST_ANSWER else f"{readable[:LONGEST_ANSWER]}…"
