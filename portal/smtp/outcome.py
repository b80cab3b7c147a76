"""What became of a mail, and in which words we say so."""

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext as _


class Failure(StrEnum):
    """Why an e-mail was not accepted."""

    ADDRESS_REFUSED = "address_refused"
    ADDRESS_NOT_SUPPORTED = "address_not_supported"
    SENDER_REFUSED = "sender_refused"
    MAIL_REFUSED = "mail_refused"
    NOT_WELCOME = "not_welcome"
    TRY_LATER = "try_later"
    UNREACHABLE = "unreachable"
    TIME_OUT = "time_out"
    DROPPED = "dropped"
    NOT_UNDERSTOOD = "not_understood"
    SIGN_IN_REFUSED = "sign_in_refused"
    NOT_ENCRYPTED = "not_encrypted"
    UNEXPECTED = "unexpected"

    @property
    def is_temporary(self) -> bool:
        """Whether the same mail may be accepted later, without anybody mending anything."""
        return self in _TEMPORARY

    @property
    def is_ours(self) -> bool:
        """Whether it says nothing about the mail: our settings, or we, are to be mended."""
        return self in _OURS

    @property
    def what(self) -> str:
        """The reason alone, for the person who pressed Send."""
        return _reasons()[self]

    @property
    def sentence(self) -> str:
        """The reason, and what to do about it, for the person who pressed Send."""
        if self.is_temporary:
            return f"{self.what} {_('Try again in some minutes.')}"
        advice = {
            Failure.ADDRESS_REFUSED: _("Check it with the customer."),
            Failure.ADDRESS_NOT_SUPPORTED: _("Ask the customer for another address."),
        }
        return f"{self.what} {advice.get(self) or _('An operator must look into it.')}"


# 4xx answers (RFC 5321, 4.2.1), refused connections and time-outs; a 5xx is final.
_TEMPORARY = {
    Failure.TRY_LATER,
    Failure.UNREACHABLE,
    Failure.TIME_OUT,
    Failure.DROPPED,
    Failure.NOT_UNDERSTOOD,
}
_OURS = {
    Failure.SIGN_IN_REFUSED,
    Failure.NOT_ENCRYPTED,
    Failure.NOT_WELCOME,
    Failure.SENDER_REFUSED,
    Failure.UNEXPECTED,
}


def _reasons() -> dict[Failure, str]:
    return {
        Failure.ADDRESS_REFUSED: _("The mail server refused the address."),
        Failure.ADDRESS_NOT_SUPPORTED: _(
            "The mail server cannot send to an address with such letters before the @."
        ),
        Failure.SENDER_REFUSED: _("The mail server refused our sender address."),
        Failure.MAIL_REFUSED: _("The mail server refused the e-mail."),
        Failure.NOT_WELCOME: _("The mail server refused to talk to us."),
        Failure.TRY_LATER: _("The mail server asked to try again later."),
        Failure.UNREACHABLE: _("The mail server could not be reached."),
        Failure.TIME_OUT: _("The mail server did not answer in time."),
        Failure.DROPPED: _("The mail server broke the connection off."),
        Failure.NOT_UNDERSTOOD: _("The mail server answered what is no answer to an e-mail."),
        Failure.SIGN_IN_REFUSED: _("The mail server refused our sign-in."),
        Failure.NOT_ENCRYPTED: _("The connection to the mail server could not be encrypted."),
        Failure.UNEXPECTED: _("Something unexpected went wrong."),
    }


@dataclass(frozen=True)
class Outcome:
    """What became of a mail: accepted, refused for `failure`, or unknown (accepted is None).

    `answer` is what the mail server said, such as '550 5.1.1 No such user'.
    """

    accepted: bool | None
    failure: Failure | None = None
    answer: str | None = None

    @property
    def is_temporary(self) -> bool:
        """Whether it may well be accepted the next time."""
        return self.failure is not None and self.failure.is_temporary

    @property
    def is_ours(self) -> bool:
        """Whether it may well be accepted once somebody has mended what is ours."""
        return self.failure is not None and self.failure.is_ours
