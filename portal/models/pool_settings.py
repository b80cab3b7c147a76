"""What an operator sets for a pool, and what each setting may be."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portal.models.page_settings import Address, Line, Unset
from portal.models.unsound import Unsound

MOST = 2_000_000_000  # about as much as the column holds


class PoolSettings(BaseModel):
    """What is not given stays as it is. `threshold` is the stock at which `warn_to` is mailed, if
    anybody is."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    title: Annotated[Line, Field(min_length=1)] = ""
    threshold: Annotated[int, Field(ge=0, le=MOST)] = 0
    warn_to: Annotated[Address | None, Unset] = None


def checked_pool(settings: dict[str, Any]) -> dict[str, Any]:
    """`settings` as a pool keeps them. Raises Unsound."""
    try:
        return PoolSettings.model_validate(settings).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise Unsound.of(error) from None
