"""The chapters' questions: what is asked, and what each answer has to be told.

One module a chapter, named as the ids' first part; it holds `QUESTIONS`.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import random
import zlib
from dataclasses import dataclass

__all__ = ["Option", "Question", "all_ids", "get"]


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


def get(question_id: str) -> Question:
    """The question of that id; KeyError names the nearest when there is none."""
    questions = _chapter(question_id.partition(".")[0])
    if question_id not in questions:
        near = difflib.get_close_matches(question_id, all_ids(), n=3, cutoff=0.3)
        raise KeyError(
            f"there is no question {question_id!r}; the nearest are {', '.join(near) or 'none'}"
        )
    return questions[question_id]


def all_ids() -> list[str]:
    """The ids of all chapters' questions, in the order of their modules."""
    chapters = [module.name for module in pkgutil.iter_modules(__path__)]
    return [question_id for chapter in chapters for question_id in _chapter(chapter)]


def _chapter(name: str) -> dict[str, Question]:
    if not name.isidentifier():
        return {}
    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError:
        return {}
    return {question.id: question for question in module.QUESTIONS}
