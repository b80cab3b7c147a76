"""/needs-a-license: the items that wait for the vendor's staff to enter a license."""

import re

from flask import Blueprint, render_template, request

from portal.access import staff_only, visible_pages
from portal.models import need

bp = Blueprint("needs", __name__, url_prefix="/needs-a-license")

ID = re.compile(r"[0-9]{1,18}", re.ASCII)


@bp.get("")
@staff_only(may="fulfil")
def index() -> str:
    pages, after = visible_pages(), request.args.get("after", "")
    found = need.find(pages, after=int(after) if ID.fullmatch(after) else 0, limit=need.PAGE + 1)
    titles = {page.id: page.title for page in pages}
    shown = {"needs": found[: need.PAGE], "has_more": len(found) > need.PAGE, "titles": titles}
    return render_template("needs/index.html", is_first=not after, **shown)
