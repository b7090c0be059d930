"""Make the frozen snapshot of Python's documentation: `python -m course.datasets.python_docs.build`.

It reads the sources of the standard library of the Python that runs it, and `pydoc_data.topics`. From
the same sources it makes the same table and vocabulary. A course in which the snapshot changes must
renew the numbers that its chapters state.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import platform
import shutil
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from course.datasets.python_docs.families import family_of
from course.datasets.python_docs.prose import paragraphs
from course.datasets.python_docs.snapshot import LICENCE, TABLE, VOCABULARY, Document, Origin
from course.datasets.python_docs.splits import SPLITS, assign, near_duplicates, words_of
from course.system import files

__all__ = ["documents", "raw_texts", "vocabulary", "write"]

PIECES = 2000
# Tests, data, and codecs that a script wrote, with one docstring for all of them.
_LEFT_OUT = {
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idle_test",
    "pydoc_data",
    "encodings",
}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Raw(NamedTuple):
    """A documentation text as Python carries it."""

    source: str
    name: str
    text: str


def raw_texts() -> list[Raw]:
    """Return the topics that `help()` knows, then the docstrings of the standard library by file."""
    from pydoc_data.topics import topics

    found = [Raw(f"topics/{name}", name, topics[name]) for name in sorted(topics)]
    library = Path(sysconfig.get_path("stdlib"))
    for file in sorted(library.rglob("*.py"), key=lambda file: file.relative_to(library).parts):
        parts = file.relative_to(library).with_suffix("").parts
        if _LEFT_OUT.isdisjoint(parts):
            source = ".".join(part for part in parts if part != "__init__")
            with warnings.catch_warnings():  # of invalid escapes
                warnings.simplefilter("ignore")
                tree = ast.parse(file.read_text(encoding="utf-8"))
            found += [Raw(source, name, text) for name, text in _docstrings(tree, "")]
    return found


def _docstrings(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    """Yield the docstrings in the order of the file, each with its qualified name."""
    if isinstance(node, _DOCUMENTED):
        text = ast.get_docstring(node)
        if text:
            yield name, text
    for child in ast.iter_child_nodes(node):
        inner = getattr(child, "name", None) if isinstance(child, _DOCUMENTED) else None
        yield from _docstrings(child, f"{name}.{inner}".lstrip(".") if inner else name)


def documents(raw: list[Raw]) -> list[Document]:
    """Clean the texts, split them by source, drop what stands twice or in two splits."""
    prose = [(text.source, text.name, paragraphs(text.text)) for text in raw]
    sizes: dict[str, int] = {}
    for source, _, found in prose:
        sizes[source] = sizes.get(source, 0) + sum(map(len, found))
    split = assign(sizes, _group)
    rows = [  # one for each paragraph
        (SPLITS.index(split[source]), number, paragraph)
        for number, (source, _, found) in enumerate(prose)
        for paragraph in found
    ]
    rows.sort(key=lambda row: row[0])  # test, validation, train
    kept: dict[int, list[str]] = {}
    for _, number, paragraph in _apart(_once(rows)):
        kept.setdefault(number, []).append(paragraph)
    return [
        Document(split[prose[number][0]], *prose[number][:2], "\n".join(kept[number]))
        for number in sorted(kept)
    ]


def _group(source: str) -> str:
    return "topics" if source.startswith("topics/") else family_of(source) or "other modules"


Row = tuple[int, int, str]


def _once(rows: list[Row]) -> list[Row]:
    """Keep the first of the paragraphs that have the same words."""
    seen: dict[tuple[str, ...], Row] = {}
    for row in rows:
        seen.setdefault(words_of(row[2]), row)
    return list(seen.values())


def _apart(rows: list[Row]) -> list[Row]:
    """Drop paragraphs that nearly equal one of an earlier split."""
    kept: list[Row] = []
    for place in range(len(SPLITS)):
        own = [row for row in rows if row[0] == place]
        near = near_duplicates([row[2] for row in own], (row[2] for row in kept))
        kept += [row for index, row in enumerate(own) if index not in near]
    return kept


def fingerprint(raw: list[Raw]) -> str:
    """Return the SHA-256 of the texts that a snapshot is made of."""
    return hashlib.sha256(json.dumps(raw).encode()).hexdigest()


def table(raw: list[Raw]) -> bytes:
    """Return the snapshot: JSON lines, first its origin, then the documents."""
    origin = Origin(platform.python_version(), fingerprint(raw))
    lines = [json.dumps(line) for line in (origin._asdict(), *documents(raw))]
    return ("\n".join(lines) + "\n").encode("ascii")


def vocabulary(training: list[str]) -> str:
    """Return a WordPiece vocabulary of `PIECES` pieces trained on these texts, one piece a line."""
    from encoder_core.text.wordpiece_training import train_wordpiece

    return "".join(f"{piece}\n" for piece in train_wordpiece(training, PIECES).vocabulary)


def write() -> None:
    """Write the table, the vocabulary and Python's licence into this folder."""
    raw = raw_texts()
    content = table(raw)
    # no file name and no time in the header, so that the bytes are the same each time
    files.write(TABLE, gzip.compress(content, 9, mtime=0))
    training = [document.text for document in documents(raw) if document.split == "train"]
    files.write(VOCABULARY, vocabulary(training))
    shutil.copyfile(Path(sysconfig.get_path("stdlib")) / "LICENSE.txt", LICENCE)
    print(f"{len(content):,} bytes, packed {TABLE.stat().st_size:,}: {TABLE}")


if __name__ == "__main__":
    write()
