"""What two chapters could need lives in a package; a chapter defines its exercises alone."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from course import content
from course.content import exercises
from course.press import notebooks as press
from tests.pressed import pages

PAGES = [f"{folder}/{name}.ipynb" for folder in press.FOLDERS for name in content.chapters()]


def cells_of(name: str) -> list[dict[str, Any]]:
    return list(json.loads(pages()[name])["cells"])


@pytest.mark.parametrize("name", PAGES)
def test_only_exercises_and_what_is_shown_define_anything(name: str) -> None:
    for cell in cells_of(name):
        shown = "exercise" in cell["metadata"] or "teaching" in cell["metadata"].get("tags", [])
        if cell["cell_type"] != "code" or shown:
            continue
        lines = [line for line in cell["source"] if not line.lstrip().startswith("%")]  # %pip
        source = "".join(lines)
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        found = [n.name for n in ast.walk(ast.parse(source)) if isinstance(n, kinds)]
        assert not found, f"cell {cell['id']} defines {found}"


@pytest.mark.parametrize("name", PAGES)
def test_the_exercises_are_the_catalogues(name: str) -> None:
    topic = name.partition("_")[2].partition(".")[0]
    metadata = [cell["metadata"] for cell in cells_of(name)]
    found = [given["exercise"] for given in metadata if "exercise" in given]
    assert found
    assert found == exercises.ids(topic)
    assert all(exercises.get(exercise_id).mistakes for exercise_id in found)
