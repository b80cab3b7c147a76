"""/mailbox: in the demo alone, the e-mails that its mail server caught."""

from flask import Blueprint, render_template

from portal.access import current_staff, staff_only, visible_message_ids
from portal.demo.mail_server import caught_mails

bp = Blueprint("mailbox", __name__, url_prefix="/mailbox")


@bp.get("")
@staff_only(may="read")
def index() -> str:
    mails = caught_mails()
    if not current_staff.sees_all:
        theirs = visible_message_ids(mail.message_id for mail in mails)
        mails = [
            mail for mail in mails if mail.message_id in theirs or mail.to == current_staff.email
        ]
    return render_template("mailbox/index.html", mails=mails)
