"""A default in a signature that an exercise gives is tried: an answer with another one never passes."""

from __future__ import annotations

import ast

import pytest

from course.checking import checks
from course.checking.exercise import build
from course.content import exercises


def _defaults(source: str) -> list[ast.Constant]:
    """The numbers and truth values that are defaults, in the source's order; None decides nothing."""
    functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]
    found = [default for function in functions for default in function.args.defaults]
    return [
        d for d in found if isinstance(d, ast.Constant) and isinstance(d.value, bool | float | int)
    ]


CHANGED = [
    (exercise_id, place)
    for exercise_id in exercises.ids()
    for place in range(len(_defaults(exercises.get(exercise_id).model_source)))
]


def test_there_are_defaults_in_functions_and_in_classes() -> None:
    assert {"embeddings.rotary", "stacking.layer_norm", "stacking.EncoderLayer"} <= {
        exercise_id for exercise_id, _ in CHANGED
    }


@pytest.mark.parametrize(("exercise_id", "place"), CHANGED)
def test_another_default_does_not_pass(exercise_id: str, place: int) -> None:
    exercise = exercises.get(exercise_id)
    default = _defaults(exercise.model_source)[place]
    lines = exercise.model_source.splitlines(keepends=True)
    line = lines[default.lineno - 1]
    other = (not default.value) if isinstance(default.value, bool) else 2 * default.value
    lines[default.lineno - 1] = (
        line[: default.col_offset] + repr(other) + line[default.end_col_offset :]
    )
    report = checks.judge(exercise, build(exercise_id, "".join(lines)))
    assert report.status == "failed", (default.lineno, default.value, other)
