"""What a question is: what is asked, and what each answer has to be told."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass

__all__ = ["Option", "Question"]


@dataclass(frozen=True)
class Option:
    """One answer: what it says, and what somebody who chose it is told. HTML, with $...$ for formulas."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """One question with exactly one right option; `kind` is "quiz" or "predict".

    The options are put into an order that depends on the id alone, so that the right one, wherever
    it is written down, stands at no place more often than at another.
    """

    id: str
    asks: str
    options: tuple[Option, ...]
    kind: str = "quiz"

    def __post_init__(self) -> None:
        if [option.right for option in self.options].count(True) != 1:
            raise ValueError(f"{self.id} should have exactly one right option")
        if self.kind not in ("quiz", "predict"):
            raise ValueError(f'{self.id}: kind is "quiz" or "predict", not {self.kind!r}')
        shuffled = random.Random(zlib.crc32(self.id.encode())).sample(
            self.options, len(self.options)
        )
        object.__setattr__(self, "options", tuple(shuffled))

    @property
    def right(self) -> int:
        """The place of the right option, from 0."""
        return next(place for place, option in enumerate(self.options) if option.right)
