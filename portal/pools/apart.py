"""A file that somebody uploaded on the page is read apart from the request that brought it, which
may end long before."""

import logging
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, BinaryIO, cast

from flask import Flask, current_app

from portal.extensions import db
from portal.models.pool import Pool
from portal.models.staff import Staff
from portal.pools import uploads
from portal.pools.reading import Shape
from portal.unexpected import write_down

log = logging.getLogger(__name__)

# Seconds for which a page waits for a file: most are read by then.
PATIENCE = 1.5


def begin_apart(
    pool: Pool, file_name: str, stream: IO[bytes], shape: Shape, *, by: Staff | None
) -> int:
    """Begin an upload, have its file read, and return its id. The file lies in the instance folder
    meanwhile, where no other program finds it, because it has no name; it is gone when it has been
    read, or when this process ends, which the upload then says. Commits. Raises Refused; or OSError
    when there is no room for the file, and then nothing was begun."""
    db.session.rollback()  # nothing is held while this waits
    with ExitStack() as unread:
        file = unread.enter_context(TemporaryFile(dir=_folder()))
        shutil.copyfileobj(stream, file)
        file.seek(0)
        upload_id = uploads.begin(pool, file_name, by=by).id
        db.session.rollback()
        app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
        arguments = (app, upload_id, file, shape)
        thread = Thread(target=_read, args=arguments, name=f"upload {upload_id}", daemon=True)
        thread.start()
        unread.pop_all()  # _read closes it
    thread.join(PATIENCE)
    return upload_id


def _folder() -> Path | None:
    folder = Path(current_app.instance_path)
    return folder if folder.is_dir() else None


def _read(app: Flask, upload_id: int, file: BinaryIO, shape: Shape) -> None:
    with file, app.app_context():
        try:
            uploads.read(upload_id, file, shape)
        except Exception as error:
            db.session.rollback()
            write_down(log, f"The upload {upload_id} could not be read", error)
