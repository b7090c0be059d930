"""What a chapter says to its learner, for the tests that hold it against what its cells compute."""

from __future__ import annotations

from types import SimpleNamespace

from course.content import questions


def right(question_id: str) -> str:
    """The right option of a question."""
    question = questions.get(question_id)
    return question.options[question.right].text


def printed(chapter: SimpleNamespace, beginning: str) -> str:
    """The one line that a chapter has printed which begins so."""
    lines: list[str] = chapter.printed
    (line,) = [line for line in lines if line.startswith(beginning)]
    return line
