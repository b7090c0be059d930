"""What there is to work through: exercises and questions, handed in by the content.

The rooms below the content ask here, and so know no chapter by name. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Catalogue:
    """How to find what the chapters hold; each lookup raises KeyError, with near names, for an unknown id."""

    exercise_ids: Callable[[str | None], list[str]]  # of a chapter, or of all, in their order
    exercise: Callable[[str], Any]  # -> course.checking.exercise.Exercise
    solution: Callable[[str], str]  # the model solution's source
    question: Callable[[str], Any]  # -> course.quiz.question.Question


_installed: list[Catalogue] = []


def install(catalogue: Catalogue) -> None:
    """Use this catalogue from now on."""
    _installed[:] = [catalogue]


def exercise(exercise_id: str) -> Any:
    """The exercise of that id."""
    return _current().exercise(exercise_id)


def exercise_ids(chapter: str | None = None) -> list[str]:
    """The ids of all exercises, or of one chapter's, in the order in which they are met."""
    return _current().exercise_ids(chapter)


def solution(exercise_id: str) -> str:
    """The source of an exercise's model solution."""
    return _current().solution(exercise_id)


def question(question_id: str) -> Any:
    """The question of that id."""
    return _current().question(question_id)


def _current() -> Catalogue:
    if not _installed:
        raise RuntimeError("no exercises are known yet: `import course.content` makes them known")
    return _installed[0]
