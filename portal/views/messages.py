"""/checkout-pages/<code>/messages: what was received, and what came of it."""

import json

from flask import Blueprint, render_template, request

from portal.access import checkout_page_or_404, message_or_404, staff_only
from portal.database.types import LARGEST_ID
from portal.intake.complaints import DocumentError
from portal.intake.document import refuse_fields_that_are_there_twice
from portal.models import ReceivedMessage

bp = Blueprint("messages", __name__, url_prefix="/checkout-pages/<code>/messages")

A_PAGE = 50
SHOWN = 64 * 1024  # characters of a message


@bp.get("")
@staff_only(may="configure")
def index(code: str) -> str:
    page, before = checkout_page_or_404(code), request.args.get("before", None, int)
    if before is not None and not 0 < before <= LARGEST_ID:
        before = None
    found = ReceivedMessage.newest(page, before=before, limit=A_PAGE + 1)
    older = found[A_PAGE - 1].id if len(found) > A_PAGE else None
    return render_template(
        "messages/index.html", page=page, messages=found[:A_PAGE], older=older, before=before
    )


@bp.get("/<int:message_id>")
@staff_only(may="configure")
def show(code: str, message_id: int) -> str:
    return shown(message_or_404(code, message_id))


def shown(message: ReceivedMessage) -> str:
    """The page of a message."""
    body = _readable(message.body)
    return render_template(
        "messages/show.html",
        message=message,
        page=message.checkout_page,
        body=body and body[:SHOWN],
        shown=SHOWN,
        length=len(body or ""),
        refusal=message.replay_refusal(),
    )


def _readable(body: str | None) -> str | None:
    """What was sent, with one field in a line where that can be and does not become long."""
    try:
        return _in_lines(body) if body else body
    except (ValueError, RecursionError, DocumentError):
        return body


def _in_lines(body: str) -> str:
    """Raises ValueError, RecursionError or DocumentError where the body is to be shown as it came:
    each level is indented, and a deep body of 1 MiB would become a thousand times as long."""
    content = json.loads(body)
    refuse_fields_that_are_there_twice(body)  # of which only one would be shown
    pieces, length = [], 0
    for piece in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(content):
        length += len(piece)
        if length > SHOWN:
            raise ValueError("too long")
        pieces.append(piece)
    # Half a character is no text, and stays as it was written.
    return "".join(pieces).encode(errors="backslashreplace").decode()
