"""Runs the tests, in a folder for the learner's state that is thrown away afterwards."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence

from course.setup import ROOT
from course.setup.environment import Environment

NOTEBOOKS = ("chapters", "solutions")
_NBVAL = ("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300")
_SLOW = "not slow and not browser and not colab"


def arguments(*, quick: bool, more: Sequence[str]) -> list[str]:
    """What pytest is given; the notebooks are run unless particular tests are asked for."""
    named = any((ROOT / argument.partition("::")[0]).exists() for argument in more)
    places = [] if named else ["tests", *(() if quick else NOTEBOOKS)]
    marks = ["-m", _SLOW] if quick and "-m" not in more else []
    return [*_NBVAL, *marks, *more, *(place for place in places if (ROOT / place).exists())]


def run(environment: Environment, *, quick: bool, more: Sequence[str]) -> int:
    """Run pytest; its exit status, for which nothing collected is a failure too."""
    command = [str(environment.python), "-m", "pytest", *arguments(quick=quick, more=more)]
    with tempfile.TemporaryDirectory(prefix="course-test-") as home:
        environ = {**os.environ, "COURSE_HOME": home, "JUPYTER_PREFER_ENV_PATH": "1"}
        return subprocess.call(command, cwd=ROOT, env=environ)
