"""A file becomes texts: one a line, or several lines between separators, or a column of a CSV file.

Each text is as it stands in the file, to the byte, but for the blanks at its ends.
"""

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from flask_babel import gettext as _

from portal.intake.values import LONGEST_LICENSE

# A line of a table may have many columns.
LONGEST_LINE = 65_536

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is the beginning of this one
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LINE_END = re.compile(r"\r\n|\r|\n")

Text = tuple[int, str]


class FileError(Exception):
    """Why a file cannot be read, and in which line: never with what stands there."""

    def __init__(self, line: int, complaint: str) -> None:
        super().__init__(_("Line %(line)s: %(complaint)s", line=line, complaint=complaint))


@dataclass(frozen=True)
class Shape:
    """How to read a file. `separator` is a line between licenses of several lines; `column` is the
    name or the number of the column of a CSV file; `encoding` is None where the file says it
    itself or is UTF-8."""

    separator: str | None = None
    column: str | None = None
    has_header: bool = True
    encoding: str | None = None


def is_encoding(name: str) -> bool:
    """Whether there is an encoding of this name."""
    try:
        b"A".decode(name)  # of nothing at all, Python does not even ask how it is encoded
    except UnicodeError:
        return True
    except (LookupError, ValueError):
        return False
    return True


def texts_of(file: BinaryIO, shape: Shape) -> Iterator[Text]:
    """The texts of `file`, each with the number of its first line; blank ones are empty. Raises
    FileError, where it stands at the latest."""
    with closing(_lines(file, shape.encoding or _marked(file))) as lines:
        if shape.column:
            texts = _of_column(lines, shape)
        elif shape.separator:
            texts = _between(lines, shape.separator.strip())
        else:
            texts = enumerate(lines, 1)
        for number, text in texts:
            trimmed = text.strip()
            if len(trimmed) > LONGEST_LICENSE:
                raise FileError(number, _too_long(LONGEST_LICENSE))
            yield number, trimmed


def _marked(file: BinaryIO) -> str:
    start = file.read(4)
    file.seek(0)
    return next((name for mark, name in MARKS.items() if start.startswith(mark)), "utf-8")


def _too_long(most: int) -> str:
    return _("is longer than %(most)s characters.", most=most)


def _lines(file: BinaryIO, encoding: str) -> Generator[str, None, None]:
    """The lines with their ends, whichever of the three they are."""
    wrapped = io.TextIOWrapper(file, encoding=encoding, errors="strict", newline="")
    number = 0
    try:
        while line := wrapped.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise FileError(number, _too_long(LONGEST_LINE))
            if "\0" in line:
                raise FileError(number, _("has a NUL in it. Is it another encoding?"))
            yield line.removeprefix("\ufeff") if number == 1 else line
    except UnicodeError as error:
        raise FileError(_line_of(error, number), _not_encoded(encoding)) from None
    finally:
        wrapped.detach()


def _line_of(error: UnicodeError, read: int) -> int:
    """The line that could not be decoded: a chunk is decoded at once, some lines ahead."""
    if not isinstance(error, UnicodeDecodeError):
        return read + 1
    before = error.object[: error.start].decode(error.encoding, "replace")
    return read + 1 + len(LINE_END.findall(before))


def _not_encoded(encoding: str) -> str:
    name = encoding.upper().removesuffix("-SIG")
    return _("is not %(encoding)s. Say which encoding the file has.", encoding=name)


def _between(lines: Iterator[str], separator: str) -> Iterator[Text]:
    begun, text, size = 1, list[str](), 0
    for number, line in enumerate(lines, 1):
        if line.strip() == separator:
            yield begun, "".join(text)
            begun, text, size = number + 1, [], 0
            continue
        text.append(line)
        size += len(line)
        if size > LONGEST_LINE:
            raise FileError(
                begun, _("begins a license of more than %(most)s characters.", most=LONGEST_LICENSE)
            )
    if last := "".join(text).strip():
        yield begun, last


def _of_column(lines: Iterator[str], shape: Shape) -> Iterator[Text]:
    first = next(lines, None)
    if first is None:
        return
    delimiter = max(",;\t|", key=first.count)
    rows = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    try:
        header = next(rows) if shape.has_header else None
        index = _index(str(shape.column), header)
        begun = rows.line_num + 1
        for row in rows:
            yield begun, row[index] if index < len(row) else ""
            begun = rows.line_num + 1
    except csv.Error as error:
        raise FileError(rows.line_num, _("is not CSV: %(error)s.", error=error)) from None


def _index(column: str, header: list[str] | None) -> int:
    names = [name.strip() for name in header or []]
    if column in names:
        return names.index(column)
    if column.isdecimal() and int(column) > 0:
        return int(column) - 1
    raise FileError(1, _("names no column “%(column)s”.", column=column[:40]))
