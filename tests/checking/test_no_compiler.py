"""No check imports torch's compiler: that takes seconds, out of the time that an answer has."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from course import content
from course.content import exercises

# What watches each operation: torch imports the compiler for it unless it is told not to.
WATCHING = sorted(
    exercise_id
    for exercise_id in exercises.ids()
    if any(
        re.search(r"Watching|DispatchMode|FunctionMode", file.read_text(encoding="utf-8"))
        for file in exercises.path(exercise_id).glob("*.py")
    )
)


def test_some_exercises_watch_operations() -> None:
    assert "efficient.blockwise_attention" in WATCHING


@pytest.mark.parametrize("exercise_id", WATCHING)
def test_the_references_are_computed_without_it(exercise_id: str) -> None:
    code = (
        "import sys\n"
        "import course.content\n"
        "from course.checking.explain import diagnosis\n"
        f"diagnosis.references({exercise_id!r})\n"
        "print('torch._dynamo' in sys.modules)"
    )
    root = content.FOLDER.parents[1]
    run = [sys.executable, "-c", code]
    ended = subprocess.run(run, capture_output=True, text=True, check=True, cwd=root)
    assert ended.stdout.strip() == "False"
