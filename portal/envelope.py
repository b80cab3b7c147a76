"""Who an e-mail is from, and which one it is."""

from email.utils import make_msgid
from typing import TYPE_CHECKING

from portal.smtp.message import default_address, deliverable

if TYPE_CHECKING:
    from portal.models import CheckoutPage


def sender_of(page: "CheckoutPage") -> tuple[str, str]:
    """From whom the customers of a checkout page get their mail: name and address."""
    return page.title, page.sender or default_address()


def new_message_id(page: "CheckoutPage | None" = None) -> str:
    """A Message-ID for a mail yet to be composed, in the domain it is sent from: by a checkout page
    to its customers, or else by the portal itself."""
    _name, address = sender_of(page) if page else ("", default_address())
    return make_msgid(domain=deliverable(address).rpartition("@")[2])
