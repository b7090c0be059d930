"""JupyterLab shows the value of a cell's last line; a picture made before it is lost."""

from __future__ import annotations

import ast

import pytest

from course import content
from course.content import manuscript

SHOWN = ("figures", "labs", "passages.SearchBox", "quiz", "predict", "explain", "check", "hint")


def lost(source: str) -> list[str]:
    """The calls that return something to look at and are not the cell's last expression."""
    calls = [
        ast.unparse(line.value.func)
        for line in ast.parse(source).body[:-1]
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)
    ]
    return [call for call in calls if call.startswith(SHOWN)]


def test_a_picture_before_the_last_line_is_found() -> None:
    assert lost("figures.bars(['a'], {'b': [1]})\nprint('done')") == ["figures.bars"]
    assert lost("print('done')\nfigures.bars(['a'], {'b': [1]})") == []


@pytest.mark.parametrize("chapter", content.chapters())
def test_every_picture_is_shown(chapter: str) -> None:
    code = [cell for cell in manuscript.read(chapter) if cell.kind == "code"]
    assert code
    assert {cell.id: lost(cell.source) for cell in code if lost(cell.source)} == {}


@pytest.mark.parametrize("chapter", content.chapters())
def test_no_drawing_of_letters_wraps(chapter: str) -> None:
    """JupyterLab breaks the lines of a text that is set as code where the notebook is narrow."""
    drawings = [
        (cell.id, line)
        for cell in manuscript.read(chapter)
        if cell.kind == "markdown"
        for part in cell.source.split("```")[1::2]
        for line in part.splitlines()
    ]
    assert {where: line for where, line in drawings if len(line) > 80} == {}
