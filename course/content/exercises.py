"""The exercises by their ids: "attention.softmax" is course/content/attention/exercises/softmax/."""

from __future__ import annotations

import difflib
import functools
import importlib
import re
from dataclasses import replace
from pathlib import Path
from typing import cast

from course.checking.exercise import Exercise, text
from course.content import CHAPTERS, FOLDER, manuscript


def ids(chapter: str | None = None) -> list[str]:
    """The ids of all exercises, or of one chapter's, in the order in which they are met."""
    chapters = CHAPTERS if chapter is None else (chapter,)
    return [exercise_id for name in chapters for exercise_id in manuscript.exercise_ids(name)]


def get(exercise_id: str) -> Exercise:
    """The exercise of that id; KeyError, with near names, when there is none."""
    if isinstance(exercise_id, str) and exercise_id in ids():
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
    """The folder of an exercise."""
    chapter = exercise_id.partition(".")[0]
    return FOLDER / chapter / "exercises" / folder(exercise_id)


@functools.cache
def _read(exercise_id: str) -> Exercise:
    chapter = exercise_id.partition(".")[0]
    name = f"course.content.{chapter}.exercises.{folder(exercise_id)}.exercise"
    exercise = cast("Exercise", importlib.import_module(name).EXERCISE)
    if exercise.id != exercise_id:
        raise ValueError(f"{name} defines {exercise.id!r}; it should define {exercise_id!r}")
    said = text.read(path(exercise_id) / "mistakes.txt")
    return replace(
        exercise,
        hints=said.hints,
        clues=said.clues,
        clues_if_wrong=said.clues_if_wrong,
        mistakes=said.mistakes,
    )
