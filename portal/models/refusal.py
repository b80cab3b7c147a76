"""Why something cannot be done now."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """A reason: a `word` for programs, a `sentence` and a `next_step` for people."""

    word: str
    sentence: str
    next_step: str


class Refused(Exception):
    """A verb was asked for something that its rule refuses."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.word)
        self.refusal = refusal
