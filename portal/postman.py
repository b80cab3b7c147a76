"""Hands deliveries to the mail server, and writes down what came of each.

A delivery is committed before the mail server is spoken to and its outcome after, and in between
no transaction is open: the mail server may take its time, and the process may die.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from portal import emails, smtp
from portal.database.failures import is_unavailable, keep_trying
from portal.database.reading import begin_reading
from portal.delivery_tokens import redeem
from portal.desk_threads import room_at_mail_server
from portal.extensions import db
from portal.models import Delivery, License, Notice, Staff, outbox
from portal.quoted_secrets import without_secrets
from portal.unexpected import write_down

log = logging.getLogger(__name__)

Mail = TypeVar("Mail", Delivery, Notice)


def resend(license: License, *, by: Staff, token: str, to: str | None = None) -> Delivery:
    """Send `license` again, once for each `token`; the delivery, with its outcome, or queued for
    the worker where the mail server keeps enough threads of this process waiting. `to` is the
    address that was confirmed, if one was.

    With a token that was used for this license before, the delivery that it led to, whatever the
    rule says by now: nothing is sent. Raises Refused and TokenSpent.
    """
    delivery, is_new = redeem(
        token,
        license.order,
        lambda: license.resend(by=by, token=token, to=to),
        fits=lambda done: license in done.licenses,
    )
    if not is_new:
        return delivery
    with room_at_mail_server() as has_room:
        if has_room:
            deliver(delivery)
        else:
            _leave_to_worker(delivery)
    return delivery


def _leave_to_worker(delivery: Delivery) -> None:
    delivery.order.lock()
    if delivery.is_at(1):  # or it was taken for lost
        delivery.queue_anew()
    db.session.commit()


def deliver(delivery: Delivery) -> datetime | None:
    """Send `delivery`, which has been committed, and commit its outcome with its history entry;
    when to try again."""
    attempt = delivery.attempts
    return _settle(delivery, attempt, _send(delivery))


def _settle(delivery: Delivery, attempt: int, outcome: smtp.Outcome) -> datetime | None:
    delivery.order.lock()  # as all do that write to an order, so that none waits in a circle
    if delivery.is_at(attempt):  # or it came back already, or was taken for lost
        outbox.settle(delivery, outcome)
    due_at = delivery.due_at
    db.session.commit()
    return due_at


def send_queued(delivery_id: int) -> datetime | None:
    """Send a queued delivery, if it is due and the rule lets it go; when to try again."""
    delivery = _claimed(delivery_id, outbox.claim, outbox.put_off)
    if delivery is None:
        begin_reading(db.session())
        slot = outbox.slot(delivery_id)
        db.session.rollback()
        return slot
    attempt = delivery.attempts
    outcome = _send(delivery)
    return keep_trying(db.session(), lambda: _settle(delivery, attempt, outcome))


def send_notice(notice_id: int) -> datetime | None:
    """Tell the vendor what is to be told, if that is due; when to try again."""
    notice = _claimed(notice_id, Notice.claim, Notice.put_off)
    if notice is None:
        return None
    attempt = notice.attempts
    begin_reading(db.session())
    try:
        message = emails.notice_email(notice)
    except Exception as error:
        write_down(log, f"The e-mail of notice {notice_id} could not be composed", error)
        outcome = smtp.Outcome(False, smtp.Failure.UNEXPECTED)
    else:
        db.session.rollback()
        outcome = smtp.hand_over(message)
    db.session.rollback()
    return keep_trying(db.session(), lambda: _settle_notice(notice, attempt, outcome))


def _settle_notice(notice: Notice, attempt: int, outcome: smtp.Outcome) -> datetime | None:
    notice.lock()
    if notice.is_at(attempt):
        notice.settle(outcome)
    due_at = notice.due_at
    db.session.commit()
    return due_at


def _claimed(
    mail_id: int, claim: Callable[[int], Mail | None], put_off: Callable[[int], None]
) -> Mail | None:
    """The mail that is to be sent, claimed for good."""
    try:
        mail = claim(mail_id)
        db.session.commit()
    except Exception as error:  # or the sweep would find it due each minute
        db.session.rollback()
        if is_unavailable(error):
            raise
        write_down(log, f"The e-mail {mail_id} could not be claimed", error)
        put_off(mail_id)
        db.session.commit()
        return None
    return mail


def _send(delivery: Delivery) -> smtp.Outcome:
    begin_reading(db.session())  # a mail is written at leisure: nobody waits for that
    try:
        message = emails.license_email(delivery)
        lines = [line for license in delivery.licenses for line in (license.text or "").split("\n")]
    except Exception as error:
        write_down(log, f"The e-mail of delivery {delivery.id} could not be composed", error)
        return smtp.Outcome(False, smtp.Failure.UNEXPECTED)
    finally:
        db.session.rollback()  # ends what reading began, whatever has gone wrong
    outcome = smtp.hand_over(message)
    return replace(outcome, answer=without_secrets(outcome.answer, lines))
