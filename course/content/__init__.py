"""What is taught: one folder a chapter, with everything that the chapter says and asks.

    <chapter>/chapter.py       the notebook's only source
    <chapter>/exercises/       one folder an exercise: cases, mistakes and hints, right answers
    <chapter>/questions.txt    quizzes and predictions
    <chapter>/terms.toml       the glossary's entries
    <chapter>/experiments      what the chapter measures, where it is more than a few lines

To import this package makes its exercises and questions known to the rooms below.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from course.learner import catalogue

FOLDER = Path(__file__).parent

# In the order of the course: a chapter's place is its number.
CHAPTERS = (
    "start_here",
    "embeddings",
    "attention",
    "feed_forward",
    "stacking",
    "bert",
    "classification",
    "generation",
    "translation",
    "vision_and_speech",
    "efficient",
)
# The ids of exercises and questions begin with their chapter's topic; those of a chapter with two subjects with these.
SUBJECTS = {"vision": "vision_and_speech", "speech": "vision_and_speech"}


def chapters() -> list[str]:
    """The names of all chapters in their order, as their notebooks have them: "02_attention"."""
    return [f"{number:02d}_{topic}" for number, topic in enumerate(CHAPTERS)]


def topic(of: str) -> str:
    """The topic of the chapter that an id, or what it begins with, belongs to.

    >>> topic("attention.softmax"), topic("speech")
    ('attention', 'vision_and_speech')
    """
    first = of.partition(".")[0]
    return SUBJECTS.get(first, first)


def chapter(name: str) -> str:
    """The numbered name of a chapter, given as "attention" or as "02_attention".

    Raises:
        LookupError: there is no such chapter; names those that there are.
    """
    for numbered, topic in zip(chapters(), CHAPTERS, strict=True):
        if name in (numbered, topic):
            return numbered
    raise LookupError(f"there is no chapter {name!r}; the chapters are {', '.join(chapters())}")


def file(name: str, what: str) -> Path:
    """A chapter's file: `file("02_attention", "terms.toml")`; LookupError where there is no such chapter."""
    return FOLDER / chapter(name).partition("_")[2] / what


def shown(path: Path) -> str:
    """A file of the content as a message names it: "course/content/attention/chapter.py"."""
    return f"course/content/{path.parent.name}/{path.name}"


def _exercise_ids(chapter: str | None = None) -> list[str]:
    from course.content import exercises

    return exercises.ids(chapter)


def _exercise(exercise_id: str) -> Any:
    from course.content import exercises

    return exercises.get(exercise_id)


def _solution(exercise_id: str) -> str:
    from course.content import manuscript

    return manuscript.solution(exercise_id)


def _question(question_id: str) -> Any:
    from course.content import questions

    return questions.get(question_id)


catalogue.install(catalogue.Catalogue(_exercise_ids, _exercise, _solution, _question))
