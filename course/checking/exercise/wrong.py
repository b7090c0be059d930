"""Wrong answers that no listed mistake is, read from the text file beside an exercise.

    ## start
    def softmax(x, dim): ...

    ## a small number added
    says: is added to what they are divided by
    - .sum(dim, keepdim=True)
    + .sum(dim, keepdim=True) + 1e-3

    ## the mean
    names: mean-over-the-axis
    def softmax(x, dim): ...

An answer is a whole source, or edits (`- ` and `+ ` as in mistakes.txt) of the right answer under `## start`,
or of the model solution where the file has no start. Lines above it hold what its report must say: `names:`
the mistakes that it names, joined by " and ", or "nothing"; `near:` the one that it comes near to; `says:` and `never:`
words that its message has, or has not. Without any of these the report must find more than wrong numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course.checking.exercise import text
from course.checking.exercise.mistake import Mistake
from course.system.sections import Entry, TextError, entries

START = "start"
NOTHING = "nothing"  # after `names:`
_EXPECTED = re.compile(r"(names|near|says|never): (.+)")


@dataclass(frozen=True)
class Wrong:
    """One wrong answer, and what its report must say."""

    name: str
    source: str
    names: tuple[str, ...] = ()  # ids of mistakes, all that are named
    near: str = ""  # the id of a mistake
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def read(path: Path, model_source: str) -> tuple[str, tuple[Wrong, ...]]:
    """The right answer that edits start from, and the wrong answers.

    Raises:
        TextError: something in it has no meaning here.
        OSError: the file cannot be read.
    """
    return parse(path.read_text(encoding="utf-8"), f"{path.parent.name}/{path.name}", model_source)


def parse(written: str, path: str, model_source: str) -> tuple[str, tuple[Wrong, ...]]:
    """The same from a string; `path` is named in errors."""
    start, found = model_source, dict[str, Wrong]()
    for entry in entries(written, path):
        if entry.name == START and not found:
            start = _source(entry.body)
        elif entry.name in found or entry.name == START:
            raise TextError(path, entry.line, f"{entry.name!r} stands twice, or too late; move it")
        else:
            found[entry.name] = _wrong(entry, path, start)
    return start, tuple(found.values())


def _wrong(entry: Entry, path: str, start: str) -> Wrong:
    expected: dict[str, list[str]] = {"names": [], "near": [], "says": [], "never": []}
    body = list(entry.body)
    while body and (match := _EXPECTED.fullmatch(body[0][1])):
        expected[match[1]].append(match[2])
        body.pop(0)
    if all(line[:2] in ("- ", "+ ", "-", "") for _, line in body):
        lines = [(number, line) for number, line in body if line]
        edits = tuple(text.edits(entry, lines, path))
        try:
            source = Mistake(entry.name, edits, "", "").applied_to(start)
        except ValueError as error:
            raise TextError(path, entry.line, str(error)) from None
    else:
        source = _source(body)
    return Wrong(
        entry.name,
        source,
        tuple(_ids(expected["names"])),
        "".join(expected["near"]),
        tuple(expected["says"]),
        tuple(expected["never"]),
    )


def _source(body: list[tuple[int, str]]) -> str:
    return "\n".join(line for _, line in body).strip("\n") + "\n"


def _ids(named: list[str]) -> Iterator[str]:
    for one in named:
        yield from one.split(" and ")
