"""What a mail server answers: whole replies, and nothing else (RFC 5321, 4.2)."""

import re
import smtplib
from typing import BinaryIO

LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?\r?\n", re.DOTALL)

# RFC 5321, 4.2.1: from here on it is a no, and from there on one for good.
LEAST_NO = 400
LEAST_FINAL = 500
# RFC 5321, 3.8: a server may say so at any time, and leaves.
LEAVES = 421

# RFC 5321, 4.5.3.1.5 asks for 512; and no server says as much as the second at a time.
LONGEST_LINE = 8_192
LONGEST = 65_536


class NotUnderstood(smtplib.SMTPServerDisconnected):
    """What came is no reply, or none to what was said: nobody has answered, and what comes after it
    would be taken for the answer to something else."""

    def __init__(self, said: bytes) -> None:
        super().__init__("The mail server said what is no reply.")
        self.said = said


def read(file: BinaryIO) -> tuple[int, bytes]:
    """The next reply, as its code and its words.

    Raises SMTPServerDisconnected where the connection ends before the reply does, and
    NotUnderstood. smtplib would take whatever it has read for a reply, such as the 55 of a 550, and
    of a line that is too long make a refusal that nobody has said.
    """
    codes: set[bytes] = set()
    words: list[bytes] = []
    while True:
        line = file.readline(LONGEST_LINE)
        if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
            raise smtplib.SMTPServerDisconnected("The connection ended before the reply did.")
        found = LINE.fullmatch(line)
        codes.add(found[1] if found else line)
        if found is None or len(codes) > 1 or sum(map(len, words)) > LONGEST:
            raise NotUnderstood(b"\n".join([*words, line]))
        words.append((found[3] or b"").strip())
        if found[2] != b"-":
            return int(found[1]), b"\n".join(words)


def behind(error: Exception) -> tuple[int, bytes]:
    """The reply that made smtplib raise `error`, for our one recipient; (0, b"") where none did."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        ((code, words),) = error.recipients.values()
        return code, words
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code, _bytes(error.smtp_error)
    return 0, b""


def _bytes(words: bytes | str) -> bytes:
    """smtplib has some of its own among those of servers."""
    return words.encode() if isinstance(words, str) else words
