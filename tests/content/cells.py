"""A chapter's cells, run one after another with the model solutions, for the tests of what it says."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import torch

from course.content import manuscript

LEFT_OUT = ("check", "labs", "quiz", "predict", "explain")  # they have tests of their own


@dataclass(frozen=True)
class Ran:
    """One cell that has run: all names after it, and what it printed."""

    id: str
    names: dict[str, object]
    printed: list[str]


def run(chapter: str, left_out: Collection[str] = LEFT_OUT) -> Iterator[Ran]:
    """Run the code cells of a chapter, each when it is asked for; torch's generator stays as it was.

    What calls a name in `left_out` does not run, nor does `answer = use(...)` of the chapter's own
    exercises, which have their model solutions already.
    """
    names: dict[str, object] = {"__name__": f"chapter_{chapter[:2]}"}
    cells = manuscript.read(chapter)
    own = {cell.exercise.rpartition(".")[2] for cell in cells if cell.exercise}
    before = torch.get_rng_state()
    try:
        for cell in cells:
            if cell.kind == "code":
                yield _run_cell(cell, names, own, left_out)
    finally:
        torch.set_rng_state(before)


def run_all(chapter: str, left_out: Collection[str] = LEFT_OUT) -> SimpleNamespace:
    """All names of a chapter after its last cell; `printed` holds its lines."""
    cells = list(run(chapter, left_out))
    names = {name: value for name, value in cells[-1].names.items() if name != "print"}
    return SimpleNamespace(**names, printed=[line for cell in cells for line in cell.printed])


def _run_cell(
    cell: manuscript.Cell,
    names: dict[str, object],
    own: Collection[str],
    left_out: Collection[str],
) -> Ran:
    printed: list[str] = []
    names["print"] = lambda *parts, sep=" ", **how: printed.append(sep.join(map(str, parts)))
    body = [node for node in ast.parse(cell.solved).body if not is_left_out(node, left_out, own)]
    file = f"<{cell.id}>"  # its text tells a training that its parts are known
    lines = cell.solved.splitlines(keepends=True)
    linecache.cache[file] = (len(cell.solved), None, lines, file)
    exec(compile(ast.Module(body, []), file, "exec"), names)
    return Ran(cell.id, names, printed)


def is_left_out(node: ast.stmt, left_out: Collection[str], own: Collection[str] = ()) -> bool:
    """Whether a statement calls a name in `left_out`, or takes one of the chapter's own answers."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    if isinstance(target, ast.Name) and target.id in own:
        return "use(" in ast.unparse(node)
    function = getattr(getattr(node, "value", None), "func", None)
    name = function.value if isinstance(function, ast.Attribute) else function
    return isinstance(name, ast.Name) and name.id in left_out
