"""Where a delivery stands.

    queued → sending → sent, failed, or unknown
      ↑         ↓
      ←←←←←←←←←←          … or withheld, when the rule refused it before it went

and later perhaps bounced, when the mail that was accepted came back. `unknown` is the honest word
for a mail that was on its way when we lost sight of it.
"""

from enum import StrEnum


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"
    BOUNCED = "bounced"


# It certainly did not go, which nobody can say of what may have gone at an earlier attempt.
NOT_SENT = (DeliveryStatus.FAILED, DeliveryStatus.WITHHELD)
# Without an outcome yet.
UNDERWAY = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)
# With an outcome, and not with the customer as far as anybody knows.
UNDELIVERED = (
    DeliveryStatus.FAILED,
    DeliveryStatus.UNKNOWN,
    DeliveryStatus.WITHHELD,
    DeliveryStatus.BOUNCED,
)
