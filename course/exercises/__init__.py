"""The exercises, one module a chapter: their cases, their mistakes, their hints."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course.exercises.model import Exercise

CHAPTERS = ("start_here", "embeddings", "attention", "feed_forward", "stacking")  # in their order


@functools.cache
def _of(chapter: str) -> dict[str, Exercise]:
    module = importlib.import_module(f"course.exercises.{chapter}")
    return {exercise.id: exercise for exercise in module.EXERCISES}


def ids(chapter: str | None = None) -> list[str]:
    """The ids of all exercises, or of one chapter's, in the order in which they are met."""
    from course import manuscript

    chapters = CHAPTERS if chapter is None else (chapter,)
    return [exercise_id for name in chapters for exercise_id in manuscript.exercise_ids(name)]


def get(exercise_id: str) -> Exercise:
    """The exercise of that id; KeyError, with near names, when there is none."""
    import difflib

    chapter = exercise_id.partition(".")[0] if isinstance(exercise_id, str) else ""
    if chapter in CHAPTERS and exercise_id in _of(chapter):
        return _of(chapter)[exercise_id]
    near = difflib.get_close_matches(str(exercise_id), ids(), n=3, cutoff=0.3)
    raise KeyError(
        f"there is no exercise {exercise_id!r}"
        + (f"; did you mean {' or '.join(near)}?" if near else "")
    )
