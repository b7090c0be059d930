"""Passages from a folder of the learner's own. They are read here; nothing leaves the machine."""

from __future__ import annotations

import ast
import json
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from course.datasets.passages.passage import MOST_WORDS, Passage

__all__ = ["FilePassage", "Folder", "read_folder"]

KINDS = (".txt", ".md", ".rst", ".py", ".ipynb")
LARGEST = 1_000_000  # bytes
MOST = 2_000  # passages; the encoder reads about fifty a second
_PLURAL = r"(?<=file|lder|sage)s\b"  # of files, folders, passages
_NOT_OPENED = {"__pycache__", "node_modules", "site-packages"}

Block = tuple[int, str]  # a paragraph and the line, or a notebook's cell, where it begins


@dataclass(frozen=True)
class FilePassage(Passage):
    """A passage of a file, and where it begins: the line, or the cell of a notebook, from 1."""

    file: Path
    line: int


@dataclass(frozen=True)
class Folder:
    """What was read of a folder, and how many files or passages were left out for which reason."""

    passages: tuple[FilePassage, ...]
    files: int
    skipped: dict[str, int]

    def __repr__(self) -> str:
        left = ", ".join(self.left_out())
        said = f"{len(self.passages):,} passages of {self.files:,} files"
        return said + (f"; skipped: {left}" if left else "; nothing was skipped")

    def left_out(self) -> list[str]:
        """How many files or passages were left out, and why: "1 binary file"."""
        return [
            f"{count:,} {re.sub(_PLURAL, '', why, count=1) if count == 1 else why}"
            for why, count in self.skipped.items()
        ]


def read_folder(
    folder: Path | str, most: int = MOST, on_file: Callable[[int, int], None] | None = None
) -> Folder:
    """Read the text files of a folder and all folders in it, in alphabetical order.

    Read are .txt, .md and .rst, the docstrings of .py, and the text cells of .ipynb. Hidden files and
    folders and installed packages are not opened; links to folders are not followed. Skipped and counted
    are files of another kind, files over 1 MB, files that are no UTF-8 text, and folders and files that
    can't be read.

    Args:
        folder: where the files are.
        most: the number of passages to keep.
        on_file: called before each file with the number of files and of passages so far; what it raises
            ends the reading.

    Raises:
        NotADirectoryError: there is no such folder.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise NotADirectoryError(
            f"{str(folder)!r} is no folder; give the path of one, such as '~/notes'."
        )
    found: list[FilePassage] = []
    skipped: Counter[str] = Counter()
    files = 0
    for path in _files(root, skipped):
        if on_file is not None:
            on_file(files, len(found))
        try:
            blocks = _blocks(path)
        except (OSError, ValueError, SyntaxError, RecursionError) as error:
            skipped[str(error) if isinstance(error, _Skipped) else "unreadable files"] += 1
            continue
        files += 1
        name = path.relative_to(root).as_posix()
        unit = ", cell " if path.suffix.lower() == ".ipynb" else ":"
        found += [FilePassage(f"{name}{unit}{line}", text, path, line) for line, text in blocks]
    if len(found) > most:
        skipped[f"passages after the first {most:,}"] = len(found) - most
    return Folder(tuple(found[:most]), files, dict(skipped))


class _Skipped(ValueError):
    """A file that is not read; its text is the reason, in the plural."""


def _files(root: Path, skipped: Counter[str]) -> Iterator[Path]:
    """Yield the files that are not hidden; count the folders that can't be read."""

    def skip(_: OSError) -> None:
        skipped["unreadable folders"] += 1

    for place, folders, names in os.walk(root, onerror=skip):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _NOT_OPENED
            and not (Path(place) / name / "pyvenv.cfg").exists()
        )
        yield from (Path(place) / name for name in sorted(names) if not name.startswith("."))


def _blocks(path: Path) -> list[Block]:
    """Read a file's passages; raise _Skipped if it is not one to read."""
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise _Skipped("files of another kind")
    if not path.is_file():  # a pipe or a dangling link
        raise _Skipped("unreadable files")
    if path.stat().st_size > LARGEST:
        raise _Skipped(f"files over {LARGEST // 1_000_000} MB")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Skipped("binary files") from None
    if "\0" in text:
        raise _Skipped("binary files")
    if kind == ".py":
        return [block for line, part in _docstrings(text) for block in _passages(part, line)]
    if kind == ".ipynb":
        cells = [(number, _passages(part, 1)) for number, part in _text_cells(text)]
        return [(number, part) for number, blocks in cells for _, part in blocks]
    return _passages(text, 1)


def _docstrings(source: str) -> Iterator[Block]:
    with warnings.catch_warnings():  # of the learner's code
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text


def _text_cells(source: str) -> Iterator[Block]:
    try:
        for number, cell in enumerate(json.loads(source)["cells"], start=1):
            if cell["cell_type"] == "markdown":
                text = cell["source"]  # a text, or a list of lines
                yield number, text if isinstance(text, str) else "".join(text)
    except (LookupError, TypeError) as error:
        raise ValueError("no notebook") from error


def _passages(text: str, first: int) -> list[Block]:
    """Join lines into passages of at most `MOST_WORDS` words, at blank lines where there are any."""
    found: list[Block] = []
    words = MOST_WORDS
    for line, paragraph in _paragraphs(text, first):
        count = len(paragraph.split())
        if found and words + count <= MOST_WORDS:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n\n{paragraph}")
            words += count
        else:
            found.append((line, paragraph))
            words = count
    return found


def _paragraphs(text: str, first: int) -> Iterator[Block]:
    """Yield paragraphs with their first line; one over `MOST_WORDS` words is cut between lines."""
    start, lines, words = first, list[str](), 0
    for number, line in enumerate([*text.split("\n"), ""], start=first):
        count = len(line.split())
        if lines and (count == 0 or words + count > MOST_WORDS):
            yield start, "\n".join(lines)
            lines, words = [], 0
        if count:
            start = start if lines else number
            lines.append(line.rstrip())
            words += count
