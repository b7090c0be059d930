"""A chapter's only source, its `chapter.py`: a text file in jupytext's py:percent format.

A cell begins with a marker line that carries its id, which never changes once it is published:

    # %% [markdown] id="why-others"
    # %% id="softmax-exercise" exercise="attention.softmax"
    # %% id="variance" tags=["teaching"]

In an exercise cell the solution stands between `### BEGIN SOLUTION` and `### END SOLUTION`. Where
the learner starts from given code, it stands after `### GIVEN`, as comments, behind the solution.
Only the standard library is needed here: the checker reads model solutions from these files too.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from course import content
from course.sandbox import answering

BEGIN, GIVEN, END = "### BEGIN SOLUTION", "### GIVEN", "### END SOLUTION"

_MARKER_LIKE = re.compile(r"\s*#\s*%%")
_MARKER = re.compile(r"# %%(?: (?P<kind>\[[a-z]+\]))?(?P<pairs>(?: \w+=.*)?)\s*$")
_PAIR = re.compile(r' (?P<key>\w+)=(?P<value>"[^"\\]*"|\[[^\[\]]*\])')
_MAGIC = re.compile(r"#? ?[%!]\w")
_ID = re.compile(r"[a-z0-9-]{1,64}")


class ManuscriptError(ValueError):
    """A manuscript that cannot be made into a notebook: where, what is wrong, what to do."""

    def __init__(self, path: str, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path, self.line, self.problem = path, line, problem


@dataclass(frozen=True)
class Cell:
    """One cell; `source` still holds the solution and its marker lines, `line` is its first."""

    kind: str  # "markdown" or "code"
    id: str
    tags: tuple[str, ...]
    exercise: str | None
    source: str
    line: int = 0

    @property
    def solved(self) -> str:
        """The source with the solution in place, without the marker lines and what is given."""
        return "\n".join(line for part, line in self._parts() if part in ("around", "solution"))

    @property
    def unsolved(self) -> str:
        """The source with each solution replaced by what is given, or `raise NotImplementedError`."""
        kept: list[str] = []
        for part, line in self._parts():
            if part == "given":
                kept.append(line.replace("# ", "", 1).rstrip() if line.strip() != "#" else "")
            elif part == "hole":
                kept.append(line.replace(END, "raise NotImplementedError"))
            elif part == "around":
                kept.append(line)
        return "\n".join(kept)

    def _parts(self) -> Iterator[tuple[str, str]]:
        """Each line with what it is part of; a solution without given code ends in a "hole"."""
        part = "around"
        for line in self.source.split("\n"):
            mark = line.strip()
            if mark == BEGIN:
                part = "solution"
            elif mark == GIVEN and part == "solution":
                part = "given"
            elif mark == END:
                if part == "solution":
                    yield "hole", line
                part = "around"
            else:
                yield part, line


def read(chapter: str) -> list[Cell]:
    """The cells of one chapter, such as "02_attention"; ManuscriptError says what is malformed."""
    return list(_parsed(*_stamped(chapter)))


def _stamped(chapter: str) -> tuple[Path, int, int]:
    """A manuscript, when it was changed and its size: what is known of it holds until these change."""
    path = content.file(chapter, "chapter.py")
    stamp = path.stat()
    return path, stamp.st_mtime_ns, stamp.st_size


@functools.lru_cache(maxsize=32)
def _parsed(path: Path, changed: int, size: int) -> tuple[Cell, ...]:
    """A manuscript's cells, kept until the file changes: a check asks for them again and again."""
    return tuple(parse(path.read_text(encoding="utf-8-sig"), content.shown(path)))


@functools.lru_cache(maxsize=32)
def _solutions(path: Path, changed: int, size: int) -> dict[str, str]:
    """The solved source of each exercise's cell, by the exercise's id."""
    return {cell.exercise: cell.solved for cell in _parsed(path, changed, size) if cell.exercise}


def exercise_ids(chapter: str) -> list[str]:
    """The ids of the exercises of "attention", in the order in which the chapter has them."""
    return list(_solutions(*_stamped(chapter)))


def solution(exercise_id: str) -> str:
    """The source of an exercise's cell, solved: what the model solution is."""
    answering.reached(exercise_id, "reads the model solution")
    chapter = content.chapter(content.topic(exercise_id))
    solutions = _solutions(*_stamped(chapter))
    if exercise_id in solutions:
        return solutions[exercise_id]
    known = ", ".join(solutions)
    raise LookupError(f"chapter {chapter} has no exercise {exercise_id!r}; it has {known}")


def parse(text: str, path: str) -> list[Cell]:
    """The cells of a py:percent text; `path` is only named in errors."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts = [number for number, line in enumerate(lines) if _MARKER_LIKE.match(line)]
    _check_preamble(lines[: starts[0] if starts else len(lines)], path)
    cells: list[Cell] = []
    for start, end in itertools.pairwise([*starts, len(lines)]):
        cell = _Parser(lines[start:end], start + 1, path).cell()
        for earlier in cells:
            if earlier.id == cell.id:
                taken = f'id "{cell.id}" is taken by the cell in line {earlier.line}'
                raise ManuscriptError(path, cell.line, f"{taken}; give this cell another id")
            if cell.exercise and earlier.exercise == cell.exercise:
                twice = f"exercise {cell.exercise} has a cell in line {earlier.line} already"
                raise ManuscriptError(path, cell.line, f"{twice}; remove one of them")
        cells.append(cell)
    return cells


def _check_preamble(lines: list[str], path: str) -> None:
    """Before the first cell only jupytext's header (`# ---` ... `# ---`) may stand."""
    header = False
    for number, line in enumerate(lines, start=1):
        if line.rstrip() == "# ---":
            header = not header
        elif line.strip() and not (header and line.startswith("#")):
            problem = 'text before the first cell; begin a cell with `# %% id="..."`'
            raise ManuscriptError(path, number, problem)
    if header:
        problem = "the header is not closed; end it with a line `# ---`"
        raise ManuscriptError(path, len(lines), problem)


class _Parser:
    """Reads one cell; `number` is the line of its marker."""

    def __init__(self, lines: list[str], number: int, path: str) -> None:
        self.lines, self.number, self.path = lines, number, path

    def fail(self, problem: str, line: int = 0) -> NoReturn:
        raise ManuscriptError(self.path, line or self.number, problem)

    def cell(self) -> Cell:
        kind, values = self.marker()
        name, exercise, tags = values.get("id"), values.get("exercise"), values.get("tags", [])
        if not (isinstance(name, str) and _ID.fullmatch(name)):
            self.fail(
                'the cell has no good id; add one such as id="why-others" (64 of a-z, 0-9, -)'
            )
        if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
            self.fail('tags should be a list of strings, such as tags=["teaching"]')
        if exercise is not None and not (isinstance(exercise, str) and kind == "code"):
            self.fail("exercise should be one id, on a code cell; make this cell a code cell")
        body = self.markdown() if kind == "markdown" else self.code(exercise)
        return Cell(kind, name, tuple(tags), exercise, "\n".join(_trimmed(body)), self.number)

    def marker(self) -> tuple[str, dict[str, Any]]:
        """The kind of the cell and the values on its marker line."""
        match = _MARKER.fullmatch(self.lines[0])
        kind = {None: "code", "[markdown]": "markdown"}.get(match["kind"]) if match else None
        pairs = match["pairs"] if match else ""
        if kind is None or _PAIR.sub("", pairs).strip():
            right = '`# %% id="..."` or `# %% [markdown] id="..."`'
            self.fail(f"the cell marker `{self.lines[0]}` is malformed; write {right}")
        values = {}
        for pair in _PAIR.finditer(pairs):
            if pair["key"] not in ("id", "exercise", "tags"):
                self.fail(f"a cell takes id, exercise and tags, not {pair['key']}; remove it")
            try:
                values[pair["key"]] = json.loads(pair["value"])
            except json.JSONDecodeError:
                self.fail(f"{pair['key']} has a malformed value; write strings in double quotes")
        return kind, values

    def markdown(self) -> list[str]:
        """The text of a markdown cell, whose lines begin with `# `."""
        for number, line in enumerate(self.lines[1:], start=self.number + 1):
            if line.strip() and line != "#" and not line.startswith("# "):
                self.fail("text in a markdown cell does not begin with `# `; add it", number)
        return [line[2:] for line in self.lines[1:]]

    def code(self, exercise: str | None) -> list[str]:
        """The lines of a code cell, once its solution markers are found to be paired."""
        opened = 0  # the line of the marker that is open, 0 for none
        seen = given = False
        for number, line in enumerate(self.lines[1:], start=self.number + 1):
            if _MAGIC.match(line):
                self.fail("a manuscript holds no magics or shell lines; write Python", number)
            mark = line.strip()
            if mark == GIVEN and (not opened or given):
                self.fail(f"`{GIVEN}` stands once in a solution, behind it; move it there", number)
            given = bool(opened) and (given or mark == GIVEN) and mark != END
            if given and mark and not mark.startswith("#"):
                self.fail("what is given stands in comments; put `# ` before this line", number)
            if mark not in (BEGIN, END):
                continue
            if exercise is None:
                self.fail(f'`{mark}` stands in no exercise; add exercise="..." to the cell', number)
            if (mark == BEGIN) == bool(opened):
                expected = END if opened else BEGIN
                self.fail(f"`{mark}` where `{expected}` was expected; pair them, unnested", number)
            opened, seen = (number if mark == BEGIN else 0), True
        if opened:
            self.fail(f"`{BEGIN}` is not closed; add `{END}` after the solution", opened)
        if exercise is not None and not seen:
            self.fail(f"exercise {exercise} has no solution; mark it with `{BEGIN}` and `{END}`")
        return self.lines[1:]


def _trimmed(lines: list[str]) -> list[str]:
    """The lines without blank ones at either end."""
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []
