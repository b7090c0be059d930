"""Judging answers that are written as text."""

from __future__ import annotations

from course.checking import checks
from course.checking.exercise import build
from course.checking.report import Report
from course.content import exercises


def judged(exercise_id: str, source: str) -> Report:
    """What check says of the function that the source defines."""
    return checks.judge(exercises.get(exercise_id), build(exercise_id, source))
