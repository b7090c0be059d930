"""The questions by their ids: "attention.same-word" stands in course/content/attention/questions.txt."""

from __future__ import annotations

import difflib
import functools

from course.content import CHAPTERS, FOLDER, topic
from course.quiz import text
from course.quiz.question import Question

__all__ = ["all_ids", "get"]


def get(question_id: str) -> Question:
    """The question of that id; KeyError names the nearest when there is none."""
    questions = _chapter(topic(question_id))
    if question_id not in questions:
        near = difflib.get_close_matches(question_id, all_ids(), n=3, cutoff=0.3)
        raise KeyError(
            f"there is no question {question_id!r}; the nearest are {', '.join(near) or 'none'}"
        )
    return questions[question_id]


def all_ids() -> list[str]:
    """The ids of all chapters' questions, in the order of the course."""
    return [question_id for chapter in CHAPTERS for question_id in _chapter(chapter)]


@functools.cache
def _chapter(name: str) -> dict[str, Question]:
    path = FOLDER / name / "questions.txt"
    if name not in CHAPTERS or not path.is_file():
        return {}
    return {question.id: question for question in text.read(path)}
