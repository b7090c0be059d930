"""Judging answers that are written as text, as the tests of wrong answers do that are listed nowhere."""

from __future__ import annotations

import pytest

from course import exercises
from course.checking import checks, diagnosis, guards
from course.checking.report import Report
from course.exercises.model import build


def judged(exercise_id: str, source: str) -> Report:
    """What check says of the function that the source defines."""
    return checks.judge(exercises.get(exercise_id), build(exercise_id, source))


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for pairs of mistakes no longer than a moment, and stop endless loops soon."""
    monkeypatch.setattr(diagnosis, "PAIR_SECONDS", 0.3)
    monkeypatch.setattr(guards, "SECONDS", 1.0)
