"""What an operator sets for a checkout page, and what each setting may be."""

from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from portal.intake.values import PLAIN
from portal.languages import LANGUAGES

# A Message-ID ends in the sender's domain, and has to fit into its column as well.
SENDER_LENGTH = 200
ADDRESS_LENGTH = 254


def _or_none(value: object) -> object:
    """What was left empty is not set."""
    return None if isinstance(value, str) and not value.strip() else value


def sound_address(text: str) -> str:
    """`text` as an address, whose part before the @ is ASCII, or else each mail would need a server
    with SMTPUTF8. Raises ValueError."""
    try:
        checked = validate_email(
            text, check_deliverability=False, globally_deliverable=False, allow_smtputf8=False
        )
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    if len(checked.ascii_email or "") > ADDRESS_LENGTH:
        raise ValueError(_("Use %(most)s characters at most.", most=ADDRESS_LENGTH))
    return checked.normalized


def _short(address: str) -> str:
    ascii_form = validate_email(address, check_deliverability=False, globally_deliverable=False)
    if max(len(address), len(ascii_form.ascii_email or "")) > SENDER_LENGTH:
        raise ValueError(_("Use %(most)s characters at most.", most=SENDER_LENGTH))
    return address


def _once(languages: list[str]) -> list[str]:
    return list(dict.fromkeys(languages))


Line = Annotated[str, Field(max_length=200, pattern=PLAIN)]
Address = Annotated[str, Field(max_length=ADDRESS_LENGTH), AfterValidator(sound_address)]
Sender = Annotated[Address, AfterValidator(_short)]
Unset = BeforeValidator(_or_none)


class PageSettings(BaseModel):
    """What is not given stays as it is.

    `sender` is from which address its customers get their mail, MAIL_DEFAULT_SENDER's where it is
    None; `reply_to` is where their answers go, and `vendor_email` where the vendor is told of what
    went wrong, if anywhere. `delivery_note` is shown to staff while delivery is forbidden. Of
    `languages` the first is for all customers whose own is not in it. `mails_per_minute` is how
    many e-mails its customers get at most; None for as many as there are.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    title: Annotated[Line, Field(min_length=1)] = ""
    sender: Annotated[Sender | None, Unset] = None
    reply_to: Annotated[Address | None, Unset] = None
    vendor_email: Annotated[Address | None, Unset] = None
    delivery_allowed: bool = True
    delivery_note: Annotated[Line | None, Unset] = None
    languages: Annotated[
        list[Literal[LANGUAGES]],  # type: ignore[valid-type]
        Field(min_length=1),
        AfterValidator(_once),
    ] = list(LANGUAGES)
    mails_per_minute: Annotated[Annotated[int, Field(ge=1, le=10_000)] | None, Unset] = None
