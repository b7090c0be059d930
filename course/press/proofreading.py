"""What a manuscript must keep so that its chapter runs in each of its states."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from course.content.manuscript import Cell, ManuscriptError


def proofread(cells: list[Cell], path: str, reserved: Sequence[str] = ()) -> None:
    """ManuscriptError, with file, line and what to do, for the first rule that is not kept."""
    for place, cell in enumerate(cells):
        if cell.id in reserved:
            problem = f'the press makes a cell "{cell.id}" itself; give this cell another id'
            raise ManuscriptError(path, cell.line, problem)
        if cell.kind != "code":
            continue
        for source in (cell.solved, cell.unsolved):
            _is_python(source, cell, path)
        if cell.exercise is not None:
            _exercise(cell, cells[place + 1 :], path)
        elif "teaching" not in cell.tags:
            _no_definitions(cell, path)


def _exercise(cell: Cell, following: list[Cell], path: str) -> None:
    """An exercise's cell defines one thing; a check and a use of it follow."""
    name = str(cell.exercise).rpartition(".")[2]
    body = ast.parse(cell.solved).body
    if len(body) != 1 or getattr(body[0], "name", None) != name:
        problem = f"exercise {cell.exercise} should define {name} and nothing else"
        raise ManuscriptError(path, cell.line, f"{problem}; move the rest to another cell")
    said = [statement for later in following for statement in _statements(later)]
    for needed in (f'check("{cell.exercise}", {name})', f'{name} = use("{cell.exercise}")'):
        if ast.unparse(ast.parse(needed)) not in said:
            problem = f"exercise {cell.exercise} is not followed by `{needed}`"
            raise ManuscriptError(path, cell.line, f"{problem}; add a cell with it")


def _no_definitions(cell: Cell, path: str) -> None:
    """A chapter has no helper code of its own."""
    for node in ast.walk(ast.parse(cell.source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            problem = f"{node.name} is defined outside of an exercise; move it to a package, tested"
            rule = 'or tag the cell "teaching" where the definition is what the chapter shows'
            raise ManuscriptError(path, cell.line + node.lineno, f"{problem}, {rule}")


def _statements(cell: Cell) -> list[str]:
    """The statements of a code cell, each in Python's own spelling."""
    try:
        return [ast.unparse(node) for node in ast.parse(cell.solved).body if cell.kind == "code"]
    except SyntaxError:  # prose, or code whose own turn to be refused comes later
        return []


def _is_python(source: str, cell: Cell, path: str) -> None:
    try:
        ast.parse(source)
    except SyntaxError as error:
        problem = f'the cell "{cell.id}" is not Python: {error.msg} in its line {error.lineno}'
        line = cell.line + (error.lineno or 0)
        raise ManuscriptError(path, line, f"{problem}; mend it") from None
