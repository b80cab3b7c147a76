"""The lines of a file, each of which is an order document or should be."""

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from portal.intake.complaints import DocumentError
from portal.intake.document import OrderDocument, read_document

LINE_BYTES = 16 * 1024 * 1024

# What is read, and written, in one go: large enough to be quick, small enough that others get their
# turn and that memory does not grow with the file.
BATCH = 1000
BATCH_BYTES = 8 * 1024 * 1024


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of `file`; of one that is longer than LINE_BYTES, only so much that it shows."""
    while line := file.readline(LINE_BYTES + 1):
        yield line
        while len(line) > LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(LINE_BYTES + 1)


def parts_of(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """`lines`, as many at a time as are read in one go."""
    part: list[bytes] = []
    size = 0
    for number, line in enumerate(lines):
        if part and (len(part) == BATCH or size + len(line) > BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(line if number else line.removeprefix(BOM_UTF8))
        size += len(line)
    if part:
        yield part


def read_line(line: bytes) -> OrderDocument | DocumentError | None:
    """What a line holds: an order, something else, or nothing."""
    if len(line) > LINE_BYTES:
        return DocumentError(f"line: is longer than {LINE_BYTES // 1024 // 1024} MiB")
    text = line.rstrip()
    if not text:
        return None
    try:
        return read_document(text)
    except DocumentError as error:
        return error
