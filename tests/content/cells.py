"""A chapter's cells, run one after another with the model solutions, for the tests of what it says.

All cells run but those that check and use the chapter's own answers, which tests/notebooks runs in every state.
What a cell shows is made as a notebook would ask for it, what a widget sends is packed as a kernel would pack it,
and nothing may leave the machine.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import comm
import torch
from comm.base_comm import BaseComm
from jupyter_client.session import json_packer

from course.content import manuscript
from tests.notebooks import offline

LEFT_OUT = ("check",)


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
    cells = manuscript.read(chapter)
    own = {cell.exercise.rpartition(".")[2] for cell in cells if cell.exercise}
    yield from run_cells(chapter, cells, own, left_out)


def run_cells(
    chapter: str,
    cells: Collection[manuscript.Cell],
    own: Collection[str] = (),
    left_out: Collection[str] = LEFT_OUT,
) -> Iterator[Ran]:
    """Run some cells of a chapter; `own` are the answers that `use` does not give there."""
    names: dict[str, object] = {"__name__": f"chapter_{chapter[:2]}"}
    before = torch.get_rng_state()
    try:
        for cell in cells:
            if cell.kind == "code":
                with offline.enforced(), _packed():
                    ran = _run_cell(cell, names, own, left_out)
                yield ran
    finally:
        torch.set_rng_state(before)


def run_all(chapter: str, left_out: Collection[str] = LEFT_OUT) -> SimpleNamespace:
    """All names of a chapter after its last cell; `printed` holds its lines."""
    return all_of(run(chapter, left_out))


def all_of(ran: Iterator[Ran]) -> SimpleNamespace:
    """All names after the last of these cells; `printed` holds their lines."""
    cells = list(ran)
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
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), file, "exec"), names)
    if last is not None:
        show(eval(compile(ast.Expression(last.value), file, "eval"), names))
    return Ran(cell.id, names, printed)


def show(value: Any) -> None:
    """Make what a notebook would show of a cell's last value."""
    for name in ("_repr_mimebundle_", "_repr_html_"):
        made = getattr(value, name, None)
        if callable(made) and not isinstance(value, type):
            json_packer(made())
            return
    repr(value)


class _Packing(BaseComm):
    """What a widget speaks through; nobody listens, but what is said must be fit for a message."""

    def publish_msg(
        self,
        msg_type: str,
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        **keys: Any,
    ) -> None:
        json_packer({"data": data, "metadata": metadata, **keys})
        for buffer in buffers or ():
            memoryview(buffer)


@contextmanager
def _packed() -> Iterator[None]:
    """Let widgets speak as they do in a kernel."""
    before, comm.create_comm = comm.create_comm, _Packing
    try:
        yield
    finally:
        comm.create_comm = before


def is_left_out(node: ast.stmt, left_out: Collection[str], own: Collection[str] = ()) -> bool:
    """Whether a statement calls a name in `left_out`, or takes one of the chapter's own answers."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    if isinstance(target, ast.Name) and target.id in own:
        return "use(" in ast.unparse(node)
    function = getattr(getattr(node, "value", None), "func", None)
    name = function.value if isinstance(function, ast.Attribute) else function
    return isinstance(name, ast.Name) and name.id in left_out
