"""The history never holds a license, nor a log what gives access to a mail server, whatever a mail
server quotes or a person writes."""

import html
import quopri
import re
from urllib.parse import unquote

# Of a longer line, so many characters together are no accident; a shorter one is told as a whole.
TELLING = 16
SHORTEST = 4

# How an answer begins, with what is worth keeping: '554 5.7.1', 'smtp; 554 5.7.1'.
CODES = re.compile(r"(?:smtp; ?)?\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?", re.IGNORECASE)


# RFC 2034: each line of an answer begins with them.
LINE_CODES = re.compile(r"^\d\.\d{1,3}\.\d{1,3} ?", re.MULTILINE)
# What stands where a longer answer was cut.
CUT = "…"


def without_secrets(answer: str | None, secrets: list[str]) -> str | None:
    """`answer` without the `secrets`, such as the lines of the licenses that the mail carried.
    Where it has a part of one, or one as mails are encoded, its codes alone are left."""
    if not answer:
        return answer
    for secret in sorted(filter(None, map(str.strip, secrets)), key=len, reverse=True):
        answer = answer.replace(secret, "…")
    if not _tells(answer, secrets):
        return answer
    codes = CODES.match(answer)
    return f"{codes[0]} …" if codes else "…"


def _tells(answer: str, secrets: list[str]) -> bool:
    bare = LINE_CODES.sub("", answer)
    decoded = quopri.decodestring(bare.encode()).decode(errors="replace")
    looked_in = {
        _plain(text) for text in (answer, bare, decoded, html.unescape(decoded), unquote(bare))
    }
    pieces = {piece for text in looked_in for piece in _pieces(text)}
    for secret in map(_plain, secrets):
        if SHORTEST <= len(secret) < TELLING and any(secret in text for text in looked_in):
            return True
        if not pieces.isdisjoint(_pieces(secret)):
            return True
        if any(_is_cut_in(secret, text) for text in looked_in):
            return True
    return False


def _is_cut_in(secret: str, text: str) -> bool:
    begun = [secret[:length] + CUT for length in range(SHORTEST, TELLING)]
    return text.endswith(tuple(begun))


def _plain(text: str) -> str:
    """Where an answer or a mail breaks its lines is not where a license does, and a filter may
    write what it looks for in small letters."""
    return "".join(text.casefold().split())


def _pieces(text: str) -> set[str]:
    return {text[start : start + TELLING] for start in range(len(text) - TELLING + 1)}
