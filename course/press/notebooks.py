"""The press: course/content/*/chapter.py -> chapters/*.ipynb and solutions/*.ipynb.

Of course/content/*/terms.toml it makes a table in each chapter, and chapters/glossary.md.

Every run writes the same bytes. A notebook that a learner has changed or run is recognised by the
digest of its cells that the press put into it, and a changed glossary by the digest in its last
line; it is replaced only after a dated copy was kept.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course import content, learner
from course.content import manuscript
from course.content.manuscript import Cell, ManuscriptError
from course.press import glossary
from course.press.glossary import GlossaryError
from course.press.glossary_pages import page as glossary_page
from course.press.proofreading import proofread
from course.system import files

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("chapters", "solutions")
RESERVED = ("about", "colab", "set-apart")  # the cells that the press adds

_SOLVED_NOTICE = (
    "# The model solutions are checked below; they do not count among your own answers.\n"
    "from course import learner\n"
    "\n"
    'learner.set_apart("solutions")'
)


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m course build [--check]`: 0 when all is well."""
    parser = argparse.ArgumentParser(
        prog="python -m course build", description="Make the notebooks."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; name what is not as it would be made"
    )
    arguments = parser.parse_args(argv)
    try:
        pages = press()
        return check(pages, ROOT) if arguments.check else write(pages, ROOT)
    except (ManuscriptError, GlossaryError) as error:
        print(f"The notebooks were not made. {error}", file=sys.stderr)
    except OSError as error:
        print(f"The notebooks were not all made: {error}", file=sys.stderr)
    return 1


def press() -> dict[str, str]:
    """The text of every notebook and of the glossary, by its path from the root of the repository."""
    pages = {}
    for chapter in content.chapters():
        path = content.shown(content.file(chapter, "chapter.py"))
        cells = manuscript.read(chapter)
        proofread(cells, path, reserved=RESERVED)
        cells = [_with_terms(cell, chapter, path) for cell in cells]
        for folder in FOLDERS:
            pages[f"{folder}/{chapter}.ipynb"] = notebook(
                chapter, cells, solved=folder == "solutions"
            )
    text = glossary_page(_terms())
    return pages | ({f"chapters/{glossary.PAGE}": text + _signature(text)} if text else {})


def write(pages: dict[str, str], root: Path) -> int:
    """Write the notebooks that are not as they should be, a changed one only after it was copied."""
    for name, text in pages.items():
        path = root / name
        if _is_made(path, text):
            continue
        _keep_if_changed(path, name)
        files.write(path, text)
        print(f"Made {name}.")
    for name in _left_over(pages, root):
        _keep_if_changed(root / name, name)
        (root / name).unlink()
        print(f"Removed {name}, which has no manuscript any more.")
    return 0


def check(pages: dict[str, str], root: Path) -> int:
    """Name every notebook that differs from what the press makes; 1 when there is one."""
    problems = []
    for name, text in pages.items():
        path = root / name
        if not path.exists():
            problems.append(f"{name} is missing")
        elif not _is_made(path, text):
            problems.append(f"{name} is not what the press makes{_first_difference(path, text)}")
    problems += [f"{name} has no manuscript" for name in _left_over(pages, root)]
    for problem in problems:
        print(f"{problem}; run `python -m course build`.")
    return 1 if problems else 0


def notebook(chapter: str, cells: list[Cell], *, solved: bool) -> str:
    """One notebook's text (nbformat 4.5), byte for byte the same on every run."""
    pages = [_cell(cell.kind, cell.id, _source(cell, solved=solved), cell) for cell in cells]
    first_code = next(
        (place for place, cell in enumerate(cells) if cell.kind == "code"), len(cells)
    )
    added = [_cell("markdown", "about", _about(chapter, solved=solved))]
    first_cell = _colab_cell()
    if first_cell is not None:
        added.append(_cell("code", "colab", first_cell))
    if solved:
        added.append(_cell("code", "set-apart", _SOLVED_NOTICE))
    pages[first_code:first_code] = added
    return _page(chapter, pages)


def _page(chapter: str, pages: list[dict[str, Any]]) -> str:
    """Cells as the text of a notebook."""
    metadata = {
        "course": {"chapter": chapter, "digest": digest(pages)},
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    page = {"cells": pages, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(page, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def digest(cells: list[dict[str, Any]]) -> str:
    """A digest of what a notebook's cells hold; what Jupyter notes beside it does not count."""
    content = [
        [
            cell.get("cell_type"),
            cell.get("id"),
            "".join(cell.get("source", "")),
            cell.get("outputs", []),
        ]
        for cell in cells
    ]
    return "sha256:" + hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _signature(text: str) -> str:
    """The last line of a markdown page: a comment with the digest of what stands above it."""
    return f"\n<!-- made by the press; sha256:{hashlib.sha256(text.encode()).hexdigest()} -->\n"


def _is_made(path: Path, text: str) -> bool:
    """Whether a file is what the press makes; git may have given it Windows' line ends."""
    if not path.exists():
        return False
    if not path.is_file():
        raise OSError(f"{path} is not a file: move it away and run this again")
    return path.read_bytes().replace(b"\r\n", b"\n") == text.encode("utf-8")


def changed(path: Path) -> bool:
    """Whether a file on disk holds anything that the press did not put there."""
    try:
        if path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
            body = text.rpartition("\n<!--")[0]
            return text != body + _signature(body)
        page = json.loads(path.read_text(encoding="utf-8-sig"))
        return bool(page["metadata"]["course"]["digest"] != digest(page["cells"]))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return True  # not one of the press's, or damaged: somebody's work, then


def _cell(kind: str, name: str, source: str, cell: Cell | None = None) -> dict[str, Any]:
    """One cell in nbformat's form."""
    metadata: dict[str, Any] = {}
    if cell is not None and cell.exercise is not None:
        metadata["exercise"] = cell.exercise
    if cell is not None and cell.tags:
        metadata["tags"] = list(cell.tags)
    lines = source.split("\n") if source else []
    made = {
        "cell_type": kind,
        "id": name,
        "metadata": metadata,
        "source": [line + "\n" for line in lines[:-1]] + lines[-1:],
    }
    return made if kind == "markdown" else {**made, "execution_count": None, "outputs": []}


def _source(cell: Cell, *, solved: bool) -> str:
    """What a cell of a chapter, or of the chapter solved, shows."""
    if cell.kind != "markdown":
        return cell.solved if solved else cell.unsolved
    if solved:  # the one glossary stands among the chapters
        return cell.source.replace(f"]({glossary.PAGE}", f"](../chapters/{glossary.PAGE}")
    return cell.source


def _with_terms(cell: Cell, chapter: str, path: str) -> Cell:
    """The cell with the chapter's table of terms where it asks for it."""
    if cell.kind != "markdown":
        return cell
    try:
        return dataclasses.replace(cell, source=glossary.fill(cell.source, chapter))
    except LookupError as error:
        raise ManuscriptError(path, cell.line, str(error)) from None


def _terms() -> list[glossary.Term]:
    """The terms of the chapters that there are."""
    chapters = content.chapters()
    return [term for term in glossary.terms() if term.chapter in chapters]


def _about(chapter: str, *, solved: bool) -> str:
    if solved:
        return f"*This is the chapter solved. [Back to the chapter](../chapters/{chapter}.ipynb)*"
    return (
        "*Each exercise has a check that tells what went wrong, and four hints. "
        f"The whole chapter solved: [solutions/{chapter}.ipynb](../solutions/{chapter}.ipynb)*"
    )


def _colab_cell() -> str | None:
    """The cell that prepares Google Colab."""
    try:
        colab = importlib.import_module("course.setup.colab")
    except ModuleNotFoundError:
        return None
    return str(colab.first_cell(colab.REPOSITORY)).strip("\n")


def _keep_if_changed(path: Path, name: str) -> None:
    """Keep a copy of what somebody changed, where the notebook can be replaced at all."""
    if path.exists() and changed(path):
        with tempfile.NamedTemporaryFile(dir=path.parent):  # OSError in a read-only folder
            pass
        print(f"You have changed or run {name}: your version is kept as {learner.keep(path)}.")


def _left_over(pages: dict[str, str], root: Path) -> list[str]:
    """Notebooks that the press once made and that no manuscript stands for now."""
    names = [
        f"{folder}/{path.name}"
        for folder in FOLDERS
        for path in sorted((root / folder).glob("*.ipynb"))
    ]
    return [name for name in names if name not in pages and _is_pressed(root / name)]


def _is_pressed(path: Path) -> bool:
    """Whether the press made the file under this very name: a copy is the learner's own."""
    if not path.is_file():
        return False
    try:
        made = json.loads(path.read_text(encoding="utf-8-sig"))["metadata"]["course"]
        return "digest" in made and made["chapter"] == path.stem
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


def _first_difference(path: Path, text: str) -> str:
    """What differs first, as far as it can be told."""
    if path.suffix == ".md":
        return ""
    try:
        there = json.loads(path.read_text(encoding="utf-8-sig"))["cells"]
        here = json.loads(text)["cells"]
        for old, new in zip(there, here, strict=False):
            if old != new:
                return f': cell "{new["id"]}" is the first that differs'
        return (
            ": it has more or fewer cells"
            if len(there) != len(here)
            else ": only its metadata differ"
        )
    except (ValueError, LookupError, TypeError, RecursionError):
        return ": it cannot be read"
