"""The key of a cached training: the same for the same code, another for other code."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from course import use
from course.content import exercises
from course.learner.capture import capture
from course.training.sources import code_of

CELL = "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n"
NUMBERS = itertools.count()
DOUBLE = """
def double(x: Tensor) -> Tensor:
    \"\"\"Twice.\"\"\"
    return F.relu(x) * 2  # twice
"""


def typed(source: str, name: str, **more: Any) -> Callable[..., Any]:
    """A function typed into a notebook's cells, with the text that check() keeps of it."""
    names: dict[str, Any] = {"__name__": "__main__", "In": [""], **more}
    for cell in (CELL, source):
        file = f"<typed {next(NUMBERS)}>"
        linecache.cache[file] = (len(cell), None, cell.splitlines(True), file)
        names["In"].append(cell)
        exec(compile(cell, file, "exec", dont_inherit=True), names)
    function: Callable[..., Any] = names[name]
    function.__course_source__ = capture(function)  # type: ignore[attr-defined]
    return function


@pytest.mark.parametrize("exercise", ["bert.mask_tokens", "bert.masked_lm_loss"])
def test_the_model_solution_typed_again_is_the_reference(
    exercise: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    reference = use(exercise)
    mine = typed(exercises.get(exercise).model_source, exercise.partition(".")[2])
    assert mine.__course_source__ != reference.__course_source__  # type: ignore[attr-defined]
    assert code_of(mine) == code_of(reference)


def test_comments_docstrings_and_unused_imports_are_no_code() -> None:
    other = (
        "import math\n\n\ndef double(x: Tensor) -> Tensor:\n    return (\n        F.relu(x) * 2)\n"
    )
    assert code_of(typed(DOUBLE, "double")) == code_of(typed(other, "double"))


@pytest.mark.parametrize(
    "other",
    [
        DOUBLE.replace("* 2 ", "* 3 "),
        DOUBLE.replace("F.relu(x)", "F.gelu(x)"),
        "import torch.special as F\n" + DOUBLE.replace("F.relu", "F.expit"),
        "TWO = 2\n" + DOUBLE.replace("* 2 ", "* TWO "),
        DOUBLE.replace("(x: Tensor)", "(x: Tensor, y: int = 1)"),
    ],
)
def test_other_code_has_another_key(other: str) -> None:
    assert code_of(typed(other, "double")) != code_of(typed(DOUBLE, "double"))


def test_a_name_counts_by_what_it_stands_for() -> None:
    def key(function: Any) -> str:
        source = "def once(x):\n    return work(x)\n"
        names: dict[str, Any] = {"work": function}
        exec(source, names)
        names["once"].__course_source__ = source
        return code_of(names["once"])

    assert key(torch.relu) != key(torch.sigmoid)
    assert key(F.relu) == key(F.relu)
    one, two = typed(DOUBLE, "double"), typed(DOUBLE.replace("* 2 ", "* 3 "), "double")
    assert key(one) != key(two), "the answer to another exercise counts with its code"
    assert key(one) == key(typed(DOUBLE.replace("  # twice", ""), "double"))


def test_code_that_cannot_be_read_is_never_the_same() -> None:
    names: dict[str, Any] = {}
    exec("def lost():\n    return 1\n", names)
    assert code_of(names["lost"]) != code_of(names["lost"])
    assert code_of(None) == ""
