"""The exercises by their ids: "attention.softmax" is course/content/attention/exercises/softmax/."""

from __future__ import annotations

import difflib
import functools
import importlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from course import content
from course.checking.exercise import Exercise, text
from course.content import CHAPTERS, manuscript


def ids(chapter: str | None = None) -> list[str]:
    """The ids of all exercises, or of one chapter's, in the order in which they are met."""
    chapters = CHAPTERS if chapter is None else (content.topic(chapter),)
    return [exercise_id for name in chapters for exercise_id in manuscript.exercise_ids(name)]


def get(exercise_id: str) -> Exercise:
    """The exercise of that id; KeyError, with near names, when there is none."""
    chapter = content.topic(exercise_id) if isinstance(exercise_id, str) else ""
    if chapter in CHAPTERS and exercise_id in ids(chapter):  # no other chapter need be read
        return _read(exercise_id)
    near = difflib.get_close_matches(str(exercise_id), ids(), n=3, cutoff=0.3)
    raise KeyError(
        f"there is no exercise {exercise_id!r}"
        + (f"; did you mean {' or '.join(near)}?" if near else "")
    )


def folder(exercise_id: str) -> str:
    """The name of an exercise's folder: its name in snake case.

    >>> folder("stacking.EncoderLayer")
    'encoder_layer'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", exercise_id.rpartition(".")[2]).lower()


def path(exercise_id: str) -> Path:
    """The folder of an exercise; LookupError where there is no such chapter."""
    return content.file(content.topic(exercise_id), "exercises") / folder(exercise_id)


def right_answers(exercise_id: str) -> tuple[Callable[..., Any], ...]:
    """Right answers in other styles than the model solution's, from `right.py`; none must be refused."""
    return tuple(_module(exercise_id, "right").RIGHT)


def _module(exercise_id: str, name: str) -> Any:
    chapter = content.topic(exercise_id)
    package = f"course.content.{chapter}.exercises.{folder(exercise_id)}"
    return importlib.import_module(f"{package}.{name}")


@functools.cache
def _read(exercise_id: str) -> Exercise:
    exercise = cast("Exercise", _module(exercise_id, "exercise").EXERCISE)
    if exercise.id != exercise_id:
        where = path(exercise_id) / "exercise.py"
        raise ValueError(f"{where} defines {exercise.id!r}; it should define {exercise_id!r}")
    said = text.read(path(exercise_id) / "mistakes.txt")
    return replace(
        exercise,
        hints=said.hints,
        clues=said.clues,
        clues_if_wrong=said.clues_if_wrong,
        mistakes=said.mistakes,
    )
