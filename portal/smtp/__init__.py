"""Speaking to the mail server, through Flask-Mail, within a time limit.

What Flask-Mail lacks is added here and nowhere else: a limit on the whole conversation, verified
TLS, bodies and addresses that survive every mail server, and a third answer beside "sent" and "not
sent": that nobody knows.
"""

from portal.smtp.errand import hand_over
from portal.smtp.line import Line
from portal.smtp.message import Message
from portal.smtp.outcome import Failure, Outcome

__all__ = ["Failure", "Line", "Message", "Outcome", "hand_over"]
