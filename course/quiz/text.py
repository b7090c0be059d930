"""A chapter's questions, read from the text file beside it.

    ## predict attention.same-word

    How alike are its two vectors?

    + Equal when they come from the table, different after the first layer.

    The table gives a token the same row in every sentence.

    - Different from the start.

    Both look-ups use the same token and the same place.

A heading gives the kind (`quiz` or `predict`) and the id. The first paragraph asks. An option begins with
`+ ` where it is right and with `- ` where it is wrong; the paragraph below explains it to whoever chose it.
The lines of a paragraph are joined.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from course.quiz.question import Option, Question
from course.system.sections import TextError, entries

__all__ = ["parse", "read"]

Paragraph = tuple[int, str]  # the number of its first line, and its lines joined


def read(path: Path) -> tuple[Question, ...]:
    """The questions of one chapter, in their order.

    Raises:
        TextError: names the file, the line and what to write there.
        OSError: the file cannot be read.
    """
    return parse(path.read_text(encoding="utf-8"), f"{path.parent.name}/{path.name}")


def parse(text: str, path: str) -> tuple[Question, ...]:
    """The same from a string; `path` is named in errors."""
    questions: dict[str, Question] = {}
    for entry in entries(text, path):
        kind, _, name = entry.name.partition(" ")
        if kind not in ("quiz", "predict") or not name or " " in name:
            problem = "a question is headed `## quiz chapter.name` or `## predict chapter.name`"
            raise TextError(path, entry.line, problem)
        if name in questions:
            raise TextError(path, entry.line, f"{name} stands twice; rename one")
        body = list(_paragraphs(entry.body))
        questions[name] = _question(name, kind, body, path, entry.line)
    return tuple(questions.values())


def _paragraphs(body: Iterable[tuple[int, str]]) -> Iterator[Paragraph]:
    """The paragraphs of numbered lines, each with its lines joined."""
    for blank, lines in itertools.groupby(body, key=lambda line: not line[1].strip()):
        if not blank:
            numbers, said = zip(*lines, strict=True)
            yield numbers[0], " ".join(line.strip() for line in said)


def _question(name: str, kind: str, body: list[Paragraph], path: str, line: int) -> Question:
    if not body or _is_option(body[0]):
        raise TextError(path, line, f"{name} asks nothing; write the question first")
    options: list[Option] = []
    rest = iter(body[1:])
    for number, said in rest:
        if not _is_option((number, said)):
            raise TextError(path, number, "an option begins with `+ ` or `- `")
        why = next(rest, None)
        if why is None or _is_option(why):
            problem = "nothing explains this option; write a paragraph below it"
            raise TextError(path, number, problem)
        options.append(Option(said[2:], why[1], right=said[0] == "+"))
    try:
        return Question(name, body[0][1], tuple(options), kind)
    except ValueError as error:
        raise TextError(path, line, str(error)) from None


def _is_option(paragraph: Paragraph) -> bool:
    return paragraph[1].startswith(("+ ", "- "))
