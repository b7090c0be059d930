"""A sitting that a chapter proposes can begin in a fresh kernel: its first cell says how.

By day one chapter's sittings are run here, and two chapters' in tests/content/generation and vision_and_speech, whose
second halves run behind the first cell and the answers.
"""

from __future__ import annotations

import ast
import builtins
import re

import pytest

from course import content
from course.content import manuscript
from tests.sampled import NIGHT

SAYS = re.compile(r"Sections [^.]*a good first sitting[^.]*\.")
QUIET = ("labs", "quiz", "predict", "explain", "check", "hint")


def sittings(name: str) -> int:
    """How many the chapter's first cell proposes: "Sections 1 to 6 make ..., 7 to 12 a second"."""
    text = next(cell.source for cell in manuscript.read(name) if cell.id == "title")
    found = SAYS.search(text)
    return len(re.findall(r"\d+ to \d+", found[0])) if found else 1


CHAPTERS = [name for name in content.chapters() if sittings(name) > 1]


def starts(name: str) -> list[int]:
    """The places of the cells that begin a sitting after the first."""
    cells = manuscript.read(name)
    return [place for place, cell in enumerate(cells) if cell.id.endswith("-sitting")]


def _left_out(node: ast.stmt) -> bool:
    """Whether it only shows something; a training theatre has a name, and its result is needed."""
    function = getattr(node.value, "func", None) if isinstance(node, ast.Expr) else None
    name = function.value if isinstance(function, ast.Attribute) else function
    return isinstance(name, ast.Name) and name.id in QUIET


def _bound(tree: ast.AST) -> set[str]:
    """Every name that some code binds, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return names


def _read(tree: ast.AST) -> set[str]:
    """Every name that some code reads."""
    loads = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return {node.id for node in loads if isinstance(node.ctx, ast.Load)}


@pytest.mark.parametrize("name", CHAPTERS)
def test_each_sitting_has_the_names_that_its_cells_use(name: str) -> None:
    """Those in the body of an answer too, which runs only where it is checked."""
    cells = manuscript.read(name)
    setup = next(cell for cell in cells if cell.kind == "code")
    assert starts(name)
    for start in starts(name):
        known = set(vars(builtins))
        missing: dict[str, set[str]] = {}
        for cell in (setup, *cells[start:]):
            if cell.kind == "code":
                tree = ast.parse(cell.solved)
                known |= _bound(tree)
                if unknown := _read(tree) - known:
                    missing[cell.id] = unknown
        assert missing == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAPTERS if NIGHT else ["04_stacking"])
def test_each_sitting_runs_after_the_first_cell_alone(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = manuscript.read(name)
    if any("TrainingTheatre" in cell.source for cell in cells):
        found = request.getfixturevalue("trained" if NIGHT else "rehearsed")
        monkeypatch.setenv("COURSE_HOME", str(found))
    assert len(starts(name)) == sittings(name) - 1
    setup = next(cell for cell in cells if cell.kind == "code")
    for start in starts(name):
        names: dict[str, object] = {"__name__": "sitting", "print": lambda *parts, **how: None}
        for cell in (setup, *cells[start:]):
            if cell.kind == "code":
                body = [node for node in ast.parse(cell.solved).body if not _left_out(node)]
                exec(compile(ast.Module(body, []), f"<{name} {cell.id}>", "exec"), names)
