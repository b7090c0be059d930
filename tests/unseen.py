"""Judging answers that are written as text, as the tests of wrong answers do that are listed nowhere."""

from __future__ import annotations

import pytest

from course.checking import checks
from course.checking.exercise import build
from course.checking.explain import diagnosis
from course.checking.report import Report
from course.content import exercises
from course.sandbox import guards


def judged(exercise_id: str, source: str) -> Report:
    """What check says of the function that the source defines."""
    return checks.judge(exercises.get(exercise_id), build(exercise_id, source))


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for pairs of mistakes no longer than a moment, and stop endless loops soon."""
    monkeypatch.setattr(diagnosis, "PAIR_SECONDS", 0.3)
    monkeypatch.setattr(guards, "SECONDS", 1.0)


def assert_told(exercise_id: str, source: str, mistake: str | None, words: str | None) -> None:
    """The answer fails, and its one mistake is named or, where there is none, the words are said."""
    report = judged(exercise_id, source)
    assert report.status == "failed", report.message
    if mistake is not None:
        assert report.mistakes == (mistake,), report.message
    else:
        assert words is not None
        assert words in report.message
