"""Hands one delivery to the mail server and writes down what came of it."""

import logging

from portal import emails, smtp
from portal.extensions import db
from portal.models import Delivery, DeliveryStatus

log = logging.getLogger(__name__)

STATUSES = {
    True: DeliveryStatus.SENT,
    False: DeliveryStatus.FAILED,
    None: DeliveryStatus.UNKNOWN,
}


def deliver(delivery: Delivery) -> None:
    """Send `delivery`, which has been committed, and commit its outcome with its history entry.

    No transaction is open while the mail server is spoken to.
    """
    outcome = _send(delivery)
    db.session.refresh(delivery, with_for_update=True)
    delivery.finish(STATUSES[outcome.accepted], failure=outcome.failure, answer=outcome.answer)
    db.session.commit()


def _send(delivery: Delivery) -> smtp.Outcome:
    try:
        message = emails.license_email(delivery)
    except Exception:
        log.exception("The e-mail of delivery %s could not be composed", delivery.id)
        return smtp.Outcome(False, smtp.Failure.UNEXPECTED)
    finally:
        db.session.commit()
    return smtp.hand_over(message)
