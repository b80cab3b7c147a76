"""A file is looked at, and what is new in it is put ready in short transactions.

What is put ready is of no use to anybody until its upload is published, in one row. Memory does not
grow with the file.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import BinaryIO

from sqlalchemy import select, update

from portal import clock
from portal.database.tables import insert_many, rows_of
from portal.extensions import db
from portal.models.pool_license import PoolLicense
from portal.models.pool_upload import OVER, PoolUpload, UploadState
from portal.pools.findings import Findings, Kind, is_damaged, warnings_of
from portal.pools.reading import Shape, Text, texts_of
from portal.pools.sold import sold
from portal.vault import vault

BATCH = 1_000

New = tuple[int, str, bytes]


class Stopped(Exception):
    """The upload was discarded while its file was read."""


class Staging:
    """One look at a file for a pool; with an upload, what is new is put ready for it."""

    def __init__(self, pool_id: int, upload_id: int | None = None) -> None:
        self.findings = Findings()
        self._pool_id, self._upload_id = pool_id, upload_id
        self._position = 0

    def run(self, file: BinaryIO, shape: Shape, advance: Callable[[int], None]) -> Findings:
        """Look at all of `file`, calling `advance` with the bytes that were read since the last
        call. Raises FileError or Stopped."""
        size, read = os.fstat(file.fileno()).st_size, 0
        with closing(_Seen()) as seen:
            for batch in _batches(texts_of(file, shape)):
                new = self._without_known(self._without_seen(batch, seen))
                for line, text, _digest in new:
                    for kind in (Kind.NEW, *warnings_of(text)):
                        self.findings.add(kind, line)
                if self._upload_id is not None:
                    self._put_ready(new, self._upload_id, file.tell() * 100 // max(size, 1))
                advance(file.tell() - read)
                read = file.tell()
        return self.findings

    def _without_seen(self, batch: list[Text], seen: "_Seen") -> list[New]:
        exact_digest, left = vault().exact_digest, []
        for line, text in batch:
            if not text:
                self.findings.add(Kind.BLANK, line)
            elif is_damaged(text):
                self.findings.add(Kind.DAMAGED, line)
            elif seen.is_new(digest := exact_digest(text)):
                left.append((line, text, digest))
            else:
                self.findings.add(Kind.DUPLICATE, line)
        return left

    def _without_known(self, texts: list[New]) -> list[New]:
        known = _in_pools([digest for _line, _text, digest in texts], self._upload_id)
        was_sold = sold([text for _line, text, _digest in texts])
        db.session.commit()
        left = []
        for line, text, digest in texts:
            kind = None
            if text in was_sold:
                kind = Kind.SOLD
            elif digest in known:
                pool_id, item_id = known[digest]
                here = Kind.IN_POOL if pool_id == self._pool_id else Kind.IN_OTHER_POOL
                kind = here if item_id is None else Kind.SOLD
            if kind:
                self.findings.add(kind, line)
            else:
                left.append((line, text, digest))
        return left

    def _put_ready(self, new: list[New], upload_id: int, percent: int) -> None:
        rows = list(self._rows(new, upload_id))  # sealed before anybody has to wait
        self._position += len(rows)
        reading = update(PoolUpload).where(
            PoolUpload.id == upload_id, PoolUpload.state == UploadState.READING
        )
        progress = {"size": self._position, "read_at": clock.now(), "read_percent": percent}
        found = db.session.scalars(reading.values(progress).returning(PoolUpload.id)).all()
        if not found:
            db.session.rollback()
            raise Stopped
        insert_many(PoolLicense, rows_of(PoolLicense, rows))
        db.session.commit()

    def _rows(self, new: list[New], upload_id: int) -> Iterator[dict[str, object]]:
        seal = vault().seal
        for position, (_line, text, digest) in enumerate(new, self._position + 1):
            yield {
                "pool_id": self._pool_id,
                "upload_id": upload_id,
                "position": position,
                "sealed": seal(text, PoolLicense.place(upload_id, position)),
                "digest": digest,
            }


class _Seen:
    """The digests of what a file has held so far, in a file of its own without a name, because a
    million of them would take 100 MB of memory."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA journal_mode=OFF")
        self._file.execute("PRAGMA cache_size=-16384")
        self._file.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        self._file.execute("BEGIN")

    def is_new(self, digest: bytes) -> bool:
        """Whether this is the first time."""
        return self._file.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,)).rowcount > 0

    def close(self) -> None:
        """Let go of the file, which is gone then."""
        self._file.close()


def _batches(texts: Iterable[Text]) -> Iterator[list[Text]]:
    texts = iter(texts)
    while batch := list(islice(texts, BATCH)):
        yield batch


def _in_pools(digests: list[bytes], but_upload: int | None) -> dict[bytes, tuple[int, int | None]]:
    """The pool of each text that is in one, and the item that has taken it."""
    query = (
        select(PoolLicense.digest, PoolLicense.pool_id, PoolLicense.item_id)
        .join(PoolUpload, PoolUpload.id == PoolLicense.upload_id)
        .where(
            PoolLicense.digest.in_(digests),
            PoolUpload.state.not_in(OVER),
            PoolLicense.upload_id != (but_upload or 0),
        )
    )
    return {digest: (pool_id, item_id) for digest, pool_id, item_id in db.session.execute(query)}
