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

from collections.abc import Iterator
from pathlib import Path

from course.quiz.question import Option, Question

__all__ = ["QuestionTextError", "parse", "read"]

Paragraph = tuple[int, str]  # the number of its first line, and its lines joined


class QuestionTextError(ValueError):
    """Questions that cannot be read: which file and line, what is wrong, what to write."""

    def __init__(self, path: str, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")


def read(path: Path) -> tuple[Question, ...]:
    """The questions of one chapter, in their order.

    Raises:
        QuestionTextError: names the file, the line and what to write there.
        OSError: the file cannot be read.
    """
    return parse(path.read_text(encoding="utf-8"), f"{path.parent.name}/{path.name}")


def parse(text: str, path: str) -> tuple[Question, ...]:
    """The same from a string; `path` is named in errors."""
    questions: dict[str, Question] = {}
    for line, heading, body in _sections(text, path):
        kind, _, name = heading.partition(" ")
        if kind not in ("quiz", "predict") or not name or " " in name:
            problem = "a question is headed `## quiz chapter.name` or `## predict chapter.name`"
            raise QuestionTextError(path, line, problem)
        if name in questions:
            raise QuestionTextError(path, line, f"{name} stands twice; rename one")
        questions[name] = _question(name, kind, body, path, line)
    return tuple(questions.values())


def _sections(text: str, path: str) -> Iterator[tuple[int, str, list[Paragraph]]]:
    """Each heading with its line and the paragraphs below it."""
    heading: tuple[int, str] | None = None
    body: list[Paragraph] = []
    new = True  # whether a line begins a paragraph
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("## "):
            if heading:
                yield *heading, body
            heading, body, new = (number, line[3:].strip()), [], True
        elif not line.strip():
            new = True
        elif heading is None:
            raise QuestionTextError(path, number, "text above the first `## ` heading; move it")
        elif new:
            body.append((number, line.strip()))
            new = False
        else:
            first, said = body[-1]
            body[-1] = first, f"{said} {line.strip()}"
    if heading:
        yield *heading, body


def _question(name: str, kind: str, body: list[Paragraph], path: str, line: int) -> Question:
    if not body or _is_option(body[0]):
        raise QuestionTextError(path, line, f"{name} asks nothing; write the question first")
    options: list[Option] = []
    rest = iter(body[1:])
    for number, said in rest:
        if not _is_option((number, said)):
            raise QuestionTextError(path, number, "an option begins with `+ ` or `- `")
        why = next(rest, None)
        if why is None or _is_option(why):
            problem = "nothing explains this option; write a paragraph below it"
            raise QuestionTextError(path, number, problem)
        options.append(Option(said[2:], why[1], right=said[0] == "+"))
    try:
        return Question(name, body[0][1], tuple(options), kind)
    except ValueError as error:
        raise QuestionTextError(path, line, str(error)) from None


def _is_option(paragraph: Paragraph) -> bool:
    return paragraph[1].startswith(("+ ", "- "))
