"""What an exercise says, read from the text file beside it: hints, clues, and the mistakes people make.

    # hints

    ## idea
    A softmax turns scores into weights ...

    # clues

    ## right: a single head
    what several heads do is wrong ...

    # mistakes

    ## without-output-bias
    -  @ w_out.T + b_out
    +  @ w_out.T

    The bias b_out is not added.

    ? What should a query that may look at nothing receive in the end?

A mistake is an edit of the model solution. Lines that begin with `- ` are the text that it removes, those
with `+ ` what stands there instead; a further `- ` begins a second edit. Without `+ ` lines the text is cut
out, and a whole line with its end. `~ detach x` names one of the mistakes that any function can have
(`generated.py`), whose sentences need not be written again. A paragraph explains the mistake; the one that
begins with `? ` asks the question. Lines of a paragraph are joined; a hint that is indented stays as it is.

`~ as encoder_layer` takes what an entry doesn't say from the mistake of its id in another exercise of the
chapter; `~ as encoder_layer gelu` names the id. Several mistakes that differ in a few words share an entry:

    ## sigmoid-gate | relu-gate
    - gelu(
    + {torch.sigmoid | torch.relu}(

    The gate is {a sigmoid | max(0, ·)}: this is the {GLU | ReGLU}, and not the GEGLU.

    ? Which activation do the letters GE stand for?
"""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from course.checking.exercise.generated import GENERATED
from course.checking.exercise.mistake import Edit, Mistake
from course.system.sections import Entry, TextError, entries

HINTS = ("idea", "shapes", "pseudo-code", "decisive line")
PARTS = ("hints", "clues", "mistakes")
_ID = re.compile(r"[a-z0-9-]+")
_CHANGE = re.compile(r"[-+~]( |$)")
_CHOICE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Text:
    """All that one file says."""

    hints: tuple[str, str, str, str]
    clues: tuple[tuple[str, str], ...]
    clues_if_wrong: tuple[tuple[str, str], ...]
    mistakes: tuple[Mistake, ...]


Others = Callable[[str], Mapping[str, Mistake]]  # the mistakes of another exercise, by its folder


def read(path: Path) -> Text:
    """The text of one exercise.

    Raises:
        TextError: something in it has no meaning here; the message says where and what to write.
        OSError: the file cannot be read.
    """

    def others(folder: str) -> Mapping[str, Mistake]:
        found = read(path.parents[1] / folder / path.name).mistakes
        return {mistake.id: mistake for mistake in found}

    return parse(path.read_text(encoding="utf-8"), f"{path.parent.name}/{path.name}", others)


def parse(text: str, path: str, others: Others = lambda folder: {}) -> Text:
    """The same from a string; `path` is named in errors."""
    hints: dict[str, str] = {}
    clues: dict[str, list[tuple[str, str]]] = {"right": [], "wrong": []}
    mistakes: dict[str, Mistake] = {}
    for entry in entries(text, path, PARTS):
        if entry.part == "hints":
            if entry.name not in HINTS or entry.name in hints:
                names = ", ".join(HINTS)
                raise TextError(
                    path, entry.line, f"{entry.name!r}: the hints are {names}, once each"
                )
            hints[entry.name] = _hint(entry, path)
        elif entry.part == "clues":
            kind, _, tag = entry.name.partition(": ")
            if kind not in clues or not tag:
                problem = "a clue is headed `## right: tag` or `## wrong: tag`"
                raise TextError(path, entry.line, problem)
            clues[kind].append((tag, _prose(entry, entry.body, path)))
        else:
            for one in _each(entry):
                if one.name in mistakes:
                    raise TextError(path, one.line, f"{one.name!r} stands twice; rename one")
                mistakes[one.name] = _mistake(one, path, others)
    missing = [name for name in HINTS if name not in hints]
    if missing:
        raise TextError(path, 1, f"hints are missing: {', '.join(missing)}; add `## {missing[0]}`")
    idea, shapes, pseudo_code, line = (hints[name] for name in HINTS)
    return Text(
        (idea, shapes, pseudo_code, line),
        tuple(clues["right"]),
        tuple(clues["wrong"]),
        tuple(mistakes.values()),
    )


def _hint(entry: Entry, path: str) -> str:
    lines = [line for _, line in entry.body]
    if all(line.startswith("    ") for line in lines if line.strip()) and any(lines):
        return textwrap.dedent("\n".join(lines)).strip("\n")
    return _prose(entry, entry.body, path)


def _prose(entry: Entry, body: list[tuple[int, str]], path: str) -> str:
    """One paragraph on one line."""
    said = " ".join(line.strip() for _, line in body if line.strip())
    if not said:
        raise TextError(path, entry.line, f"{entry.name!r} says nothing; write a sentence")
    return said


def _each(entry: Entry) -> Iterator[Entry]:
    """An entry of several mistakes, `## a | b`, as one of each: `{x | y}` gives x to a and y to b."""
    names = entry.name.split(" | ")

    def chosen(place: int, match: re.Match[str]) -> str:
        alternatives = match[1].split(" | ")
        return alternatives[place] if len(alternatives) == len(names) else match[0]

    for place, name in enumerate(names):
        choose = functools.partial(chosen, place)
        body = [(number, _CHOICE.sub(choose, line)) for number, line in entry.body]
        yield replace(entry, name=name, body=body if len(names) > 1 else entry.body)


def _mistake(entry: Entry, path: str, others: Others) -> Mistake:
    if not _ID.fullmatch(entry.name):
        raise TextError(path, entry.line, f"{entry.name!r} is no id; use a-z, 0-9 and -")
    prose = (
        i for i, (_, line) in enumerate(entry.body) if line.strip() and not _CHANGE.match(line)
    )
    first = next(prose, len(entry.body))
    changes = [(n, line) for n, line in entry.body[:first] if line.strip()]
    rest = entry.body[first:]
    start = next((n for n, line in rest if line.startswith("? ")), None)
    said = [(n, line) for n, line in rest if start is None or n < start]
    asked = [(n, line.removeprefix("? ")) for n, line in rest if start is not None and n >= start]
    made = [(n, line[2:]) for n, line in changes if line.startswith("~ ")]
    if made:
        like = _declared(entry, made, path, others)
        changes = [(n, line) for n, line in changes if not line.startswith("~ ")]
        return replace(
            like,
            edits=tuple(edits(entry, changes, path)) if changes else like.edits,
            says=_prose(entry, said, path) if any(line.strip() for _, line in said) else like.says,
            asks=_prose(entry, asked, path) if asked else like.asks,
        )
    if start is None:
        raise TextError(path, entry.line, f"{entry.name!r} asks nothing; add a line `? ...`")
    changed = tuple(edits(entry, changes, path))
    return Mistake(entry.name, changed, _prose(entry, said, path), _prose(entry, asked, path))


def _declared(entry: Entry, made: list[tuple[int, str]], path: str, others: Others) -> Mistake:
    """One of the mistakes that any function can have, or that another exercise has."""
    number, line = made[0]
    kind, *names = line.split()
    if kind not in (*GENERATED, "as") or len(made) > 1:
        raise TextError(path, number, f"`~ {line}`: one of {', '.join(GENERATED)}, as, once")
    if kind == "as":
        folder, mistake_id = (*names, entry.name, "")[:2]
        try:
            return replace(others(folder)[mistake_id], id=entry.name)
        except (KeyError, OSError):
            raise TextError(path, number, f"`~ {line}`: {folder} has no {mistake_id!r}") from None
    try:
        says, asks, wrapped = GENERATED[kind](*names)
    except TypeError:
        raise TextError(path, number, f"`~ {line}` names no argument") from None
    return Mistake(entry.name, (), says, asks, wrapped=wrapped)


def edits(entry: Entry, changes: list[tuple[int, str]], path: str) -> Iterator[Edit]:
    """The edits that lines with `- ` and `+ ` make; TextError where they make none."""
    old: list[str] = []
    new: list[str] = []
    before = 0
    for number, line in changes:
        apart = number != before + 1
        if line[0] == "-":
            if old and (new or apart):
                yield "\n".join(old), "\n".join(new)
                old, new = [], []
            old.append(line[2:])
        elif not old:
            raise TextError(path, number, "a `+` line without a `-` line above it says nothing")
        else:
            new.append(line[2:])
        before = number
    if not old:
        raise TextError(path, entry.line, f"{entry.name!r} edits nothing; add a line `- ...`")
    yield "\n".join(old), "\n".join(new)
