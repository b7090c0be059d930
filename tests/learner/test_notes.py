"""Notes are whole or left alone: a file that can't be read isn't written, a damaged one is copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from course import learner
from course.content import questions
from course.learner import lab_tasks, notes
from course.quiz import answers, quiz
from course.system import files

QUIZ = next(i for i in questions.all_ids() if questions.get(i).kind == "quiz")
DAMAGED = ["", "{", "[]", "[" * 100_000, '{"labs": 3}']


@pytest.fixture
def path(course_home: Path) -> Path:
    course_home.mkdir(parents=True, exist_ok=True)
    return course_home / "labs.json"


@pytest.mark.parametrize("text", DAMAGED)
def test_a_copy_of_a_damaged_file_is_kept(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    assert notes.read(path, "labs") == {}
    (copy,) = (learner.home() / "kept").glob("labs-*.json")
    assert copy.read_text(encoding="utf-8") == text


def test_what_is_there_is_read_as_it_is(path: Path) -> None:
    assert notes.read(path) == {}
    kept = {"schema": 7, "labs": {"a": {"b": True}}, "more": [1]}
    notes.write(path, kept)
    assert notes.read(path, "labs") == kept


def test_a_file_that_can_t_be_read_now_is_not_written(
    course_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiz(QUIZ).choose(0)
    lab_tasks.note("stack", "one")
    before = [(course_home / name).read_bytes() for name in ("quiz.json", "labs.json")]

    def refused(_: Path) -> Any:
        raise PermissionError("not now")

    with monkeypatch.context() as patch:
        patch.setattr(files, "read", refused)
        quiz(QUIZ).choose(1)
        lab_tasks.note("attention", "previous-word")
        assert answers() == {}
        assert lab_tasks.reached("attention") == {"previous-word"}  # held meanwhile
    assert [(course_home / name).read_bytes() for name in ("quiz.json", "labs.json")] == before
    assert answers()[QUIZ]["tries"] == 1
    lab_tasks.note("stack", "longer")
    assert lab_tasks.count() == 3
