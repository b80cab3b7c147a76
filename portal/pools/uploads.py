"""An upload is begun, read, and published as a whole; or it is discarded, or taken back unused."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, BinaryIO

from flask_babel import gettext as _
from sqlalchemy import delete, func, or_, select

from portal import clock
from portal.database.statements import Turn, take_turn
from portal.extensions import db
from portal.models.change import Change
from portal.models.license import License
from portal.models.pool import Pool
from portal.models.pool_license import PoolLicense
from portal.models.pool_upload import OVER, PENDING, PoolUpload, UploadState
from portal.models.refusal import Refusal, Refused
from portal.models.staff import Staff
from portal.pools import sold, waiting
from portal.pools.reading import FileError, Shape
from portal.pools.staging import Staging, Stopped
from portal.processes import this_process

log = logging.getLogger(__name__)

# Rows that are deleted in one transaction, and how many of those a page waits for.
CLEARED = 1_000
FEW = 20
# Chunks of those who wait that are served at once; the rest is served within the minute.
SERVED = 10


def begin_refusal(pool: Pool) -> Refusal | None:
    """Why nothing can be uploaded to `pool` now, or None when it can."""
    pending = PoolUpload.pending(pool)
    if pending is None or pending.is_lost:
        return None
    return Refusal(
        "upload_pending",
        _("Another upload to this pool, %(file)s, is not confirmed yet.", file=pending.file_name),
        _("Confirm it or discard it first."),
    )


def begin(pool: Pool, file_name: str, *, by: Staff | None) -> PoolUpload:
    """A new upload, to be read by this process. Commits. Raises Refused."""
    take_turn(db.session(), Turn.SAVING_LICENSES)  # what is newer than that gets a higher id
    pool.lock()
    if refusal := begin_refusal(pool):
        db.session.rollback()
        raise Refused(refusal)
    if lost := PoolUpload.pending(pool):
        lost.discard()
        db.session.flush()
    upload = PoolUpload(
        pool=pool,
        file_name=file_name.replace("\0", "")[-255:],
        by_id=by.id if by else None,
        reader=this_process(),
        read_at=clock.now(),
        sold_until=db.session.scalar(select(func.max(License.id))) or 0,
    )
    db.session.add(upload)
    db.session.commit()
    return upload


def read(
    upload_id: int, file: BinaryIO, shape: Shape, advance: Callable[[int], None] = lambda _n: None
) -> None:
    """Look at `file` and put ready what is new. What cannot be read is discarded, and says why."""
    upload = db.session.get_one(PoolUpload, upload_id)
    pool_id = upload.pool_id
    try:
        clear_away(PoolUpload.pool_id == pool_id)
        findings = Staging(pool_id, upload_id).run(file, shape, advance)
    except Stopped:
        return
    except BaseException as error:
        db.session.rollback()
        is_ours = isinstance(error, FileError)
        _end_reading(upload_id, str(error) if is_ours else _("The file could not be read."))
        if not is_ours:
            raise
        return
    upload = db.session.get_one(PoolUpload, upload_id, populate_existing=True)
    if upload.state is UploadState.READING:
        upload.report, upload.state = findings.dump(), UploadState.READ
    db.session.commit()


def _end_reading(upload_id: int, complaint: str) -> None:
    upload = db.session.get_one(PoolUpload, upload_id, populate_existing=True)
    if upload.state is UploadState.READING:
        upload.state, upload.complaint = UploadState.DISCARDED, complaint[:500]
    db.session.commit()


def publish(upload: PoolUpload, *, by: Staff | None) -> list[int]:
    """Put all of `upload` into its pool but for what was sold since its file was read, and serve
    those who wait; the fulfilments that are due because of it. Commits. Raises Refused."""
    while _leave_out_sold(upload):
        pass
    take_turn(db.session(), Turn.SAVING_LICENSES)
    pool = _locked(upload)
    while sold.leave_out(upload):
        pass
    if refusal := upload.publish_refusal():
        raise Refused(refusal)
    upload.state, upload.free, upload.reader = UploadState.PUBLISHED, upload.size, None
    Change.note(pool, pool.title, "upload", None, _what(upload), by=by)
    pool.look_at_stock()
    db.session.commit()
    return waiting.serve(pool.id, SERVED)


def _leave_out_sold(upload: PoolUpload) -> bool:
    """Leave out some of what was sold since, and commit; whether there may be more. Most of it, so
    that nobody is kept from the pool, or from saving licenses, for long."""
    _locked(upload)
    are_more = sold.leave_out(upload)
    db.session.commit()
    return are_more


def discard(upload: PoolUpload) -> None:
    """Forget an upload that was not published. Commits. Raises Refused."""
    _locked(upload)
    upload.discard()
    db.session.commit()
    clear_away(PoolUpload.id == upload.id, FEW)


def take_back(upload: PoolUpload, *, by: Staff | None) -> None:
    """Take all of an unused upload out of its pool. Commits. Raises Refused."""
    pool = _locked(upload)
    if refusal := upload.take_back_refusal():
        raise Refused(refusal)
    upload.state, upload.free = UploadState.TAKEN_BACK, 0
    Change.note(pool, pool.title, "upload", _what(upload), None, by=by)
    pool.look_at_stock()
    db.session.commit()
    clear_away(PoolUpload.id == upload.id, FEW)


def clear_away(those: Any = True, most: int | None = None) -> None:
    """Delete what lies about of uploads that are over, in short transactions, `most` at once."""
    over = select(PoolUpload.id).where(
        PoolUpload.state.in_(OVER), PoolUpload.is_cleared.is_(False), or_(those)
    )
    for upload_id in db.session.scalars(over).all():
        rows = select(PoolLicense.id).where(
            PoolLicense.upload_id == upload_id, PoolLicense.item_id.is_(None)
        )
        deleted = CLEARED
        while deleted == CLEARED:
            if most is not None and (most := most - 1) < 0:
                return
            some = rows.limit(CLEARED).scalar_subquery()
            done = db.session.execute(
                delete(PoolLicense).where(PoolLicense.id.in_(some)).returning(PoolLicense.id),
                execution_options={"synchronize_session": False},
            )
            deleted = len(done.all())
            db.session.commit()
        db.session.get_one(PoolUpload, upload_id).is_cleared = True
        db.session.commit()
    db.session.rollback()


def tend() -> list[int]:
    """What is done for pools every minute: what nobody confirms is forgotten, and who was passed
    over is served; the fulfilments that are due because of it."""
    a_while = clock.now() - timedelta(minutes=1)
    pending = select(PoolUpload).where(PoolUpload.state.in_(PENDING), PoolUpload.at < a_while)
    for upload in db.session.scalars(pending).all():
        if upload.is_lost:
            _locked(upload)
            if upload.is_lost:
                upload.discard()
            db.session.commit()
    clear_away(most=FEW)
    return waiting.serve_all()


def _locked(upload: PoolUpload) -> Pool:
    """The pool of `upload`, locked, and the upload as it is by now."""
    pool = upload.pool
    pool.lock()
    db.session.refresh(upload)
    return pool


def _what(upload: PoolUpload) -> str:
    return f"{upload.file_name} ({upload.size:,})"
