"""Reading ahead: while this process writes orders down, another one reads the next of the file.

It seals their licenses and makes their rows as well, which takes as long as to write them. It has
nothing to do with the database, so nobody waits for it there; and what it makes is plain values,
which come over quickly. Where it cannot be had, or ends, each part is read here.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, ClassVar, NamedTuple, Self

from flask import current_app
from sqlalchemy import Dialect, make_url

from portal.intake.complaints import DocumentError
from portal.intake.document import OrderDocument, read_document
from portal.intake.insert import NewOrder, new_orders
from portal.intake.lines import parts_of, read_line
from portal.vault import Vault

# What the other process needs to know.
SETTINGS = ("SQLALCHEMY_DATABASE_URI", "VAULT_KEYS", "VAULT_DIGEST_KEY")

# Parts of a file, which are read and written before another process has started: where there are no
# more, it is not worth starting.
FEW = 5

# How it shows that the other process is no more.
ENDED = (EOFError, OSError)


class Made(NamedTuple):
    """What the other process makes of an order document."""

    new: NewOrder
    license_texts: list[str]


@dataclass(slots=True)
class ReadAhead:
    """An order document that was read elsewhere: the rows that it is where the order is new, and
    its line, to be read again where the order is there."""

    line: bytes
    new: NewOrder
    license_texts: list[str]

    told_at: ClassVar[None] = None  # a file tells no news

    @property
    def order_id(self) -> int:
        return self.new.id

    @property
    def checkout_page(self) -> str:
        return self.new.page

    @property
    def document(self) -> OrderDocument:
        """All that it says."""
        return read_document(self.line.rstrip())


Read = OrderDocument | ReadAhead | DocumentError | None


def read_lines(
    lines: Iterable[bytes], brings_new: Callable[[], bool]
) -> Iterator[tuple[bytes, Read]]:
    """Each of `lines` with what it holds. Another process reads ahead of a large file, as long as
    it `brings_new` orders: of those that are there, more is asked than the rows of new ones."""
    with _OtherProcess() as other:
        for number, part in enumerate(parts_of(lines)):
            if number >= FEW and brings_new():
                yield from other.exchange(part)
            else:
                yield from chain(other.answer(), _read_here(part))
        yield from other.answer()


def _read_here(part: list[bytes]) -> Iterator[tuple[bytes, Read]]:
    return ((line, read_line(line)) for line in part)


class _OtherProcess:
    """It reads one part while this process writes the one before, and ends when this one does,
    however that ends: nobody holds the other end of its pipe then."""

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._is_ready = False
        self._given: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process:
            self._process.terminate()  # nothing is lost with it, and it may still be starting
            self._process.join()

    def exchange(self, part: list[bytes]) -> Iterator[tuple[bytes, Read]]:
        """What the part before holds, while this one is read; where nobody reads it, this too."""
        answer = self.answer()
        return answer if self._takes(part) else chain(answer, _read_here(part))

    def answer(self) -> Iterator[tuple[bytes, Read]]:
        """What the part holds that was given last."""
        given, self._given = self._given, []
        if not (given and self._pipe):
            return iter(())
        try:
            made = self._pipe.recv()
        except ENDED:
            self._pipe = None
            return _read_here(given)
        return zip(given, map(_received, given, made), strict=True)

    def _takes(self, part: list[bytes]) -> bool:
        if self._process is None and (os.cpu_count() or 1) > 1:
            self._start()
        if self._pipe is None:
            return False
        try:
            if not self._is_ready and not self._pipe.poll():
                return False  # it is still starting
            if not self._is_ready:
                self._is_ready = self._pipe.recv()
            self._pipe.send(part)
        except ENDED:
            self._pipe = None
            return False
        self._given = part
        return True

    def _start(self) -> None:
        anew = get_context("spawn")  # a fork would share connections with this one
        self._pipe, theirs = anew.Pipe()
        settings = {name: current_app.config[name] for name in SETTINGS}
        self._process = anew.Process(target=_serve, args=(theirs, settings), daemon=True)
        self._process.start()
        theirs.close()


def _received(line: bytes, made: Made | DocumentError | None) -> Read:
    return ReadAhead(line, *made) if isinstance(made, Made) else made


def _serve(pipe: Connection, settings: Mapping[str, Any]) -> None:
    """What the other process does, until nobody is there to ask it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who ends the import ends this
    look_for_rubbish_rarely()
    safe = Vault.of(settings)
    dialect = make_url(settings["SQLALCHEMY_DATABASE_URI"]).get_dialect()()
    with suppress(*ENDED):
        pipe.send(True)
        while True:
            pipe.send(_made(pipe.recv(), safe, dialect))


def _made(part: list[bytes], safe: Vault, dialect: Dialect) -> list[Made | DocumentError | None]:
    read = [read_line(line) for line in part]
    documents = [one for one in read if isinstance(one, OrderDocument)]
    made = map(Made, new_orders(documents, safe, dialect), (one.license_texts for one in documents))
    return [next(made) if isinstance(one, OrderDocument) else one for one in read]


def look_for_rubbish_rarely() -> None:
    """Python looks through all that is in use each time some hundreds of things were made. Nearly
    nothing of an import is in circles, and looking took up to a fifth of its time."""
    gc.freeze()
    gc.set_threshold(100_000)
