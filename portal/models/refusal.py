"""Why something cannot be done now."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.models.staff import Staff


@dataclass(frozen=True)
class Refusal:
    """A reason: a `word` for programs, a `sentence` and a `next_step` for people. Where the next
    step is an operator's, `for_operators` tells them what it is, and `page_code` at which checkout
    page's settings."""

    word: str
    sentence: str
    next_step: str
    for_operators: str | None = None
    page_code: str | None = None

    def __post_init__(self) -> None:
        # It may end in what a person wrote as a reason, and the next step follows it.
        if self.sentence and self.sentence[-1] not in ".!?…":
            object.__setattr__(self, "sentence", f"{self.sentence}.")

    @property
    def in_full(self) -> str:
        """The sentence and the next step, as one text."""
        return f"{self.sentence} {self.next_step}"

    def step_for(self, person: "Staff") -> str:
        """The next step for the person who reads."""
        return self.for_operators if self.for_operators and person.sees_all else self.next_step


class Refused(Exception):
    """A verb was asked for something that its rule refuses."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.word)
        self.refusal = refusal
