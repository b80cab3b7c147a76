"""/mailbox: in the demo alone, the e-mails that its mail server caught."""

from flask import Blueprint, render_template

from portal.access import staff_only
from portal.demo.mail_server import caught_mails

bp = Blueprint("mailbox", __name__, url_prefix="/mailbox")


@bp.get("")
@staff_only(may="read")
def index() -> str:
    return render_template("mailbox/index.html", mails=caught_mails())
