"""Runs the tests, in a folder for the learner's state that is thrown away afterwards."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence

from course.setup import ROOT
from course.setup.environment import Environment

_SLOW = "not slow and not browser and not colab"
# What only says at the end of its import that nothing of it is quick, or takes seconds to load: nbval brings
# a grammar for each kind of address, and runs in processes of its own (tests/notebooks).
_LEAN = ["--ignore=tests/browser", "-p", "no:nbval"]
MOST_PROCESSES = 4  # each holds torch and a kernel or a browser


def arguments(*, quick: bool, more: Sequence[str], cores: int | None = None) -> list[str]:
    """What pytest is given.

    All tests together run in one process more than there are cores, since one that waits for a kernel or a
    browser leaves its core to others; the quick ones, which wait for nothing, in as many; particular ones in one.
    tests/notebooks runs every notebook under nbval, in each of its states.
    """
    named = any((ROOT / argument.partition("::")[0]).exists() for argument in more)
    places = [] if named else ["tests"]
    marks = ["-m", _SLOW] if quick and "-m" not in more else []
    lean = _LEAN if quick and not named else []
    cores = cores or os.cpu_count() or 1
    processes = min(cores if quick else cores + 1, MOST_PROCESSES)
    spread = [] if named or cores == 1 else ["-n", str(processes)]
    return [*marks, *lean, *spread, *more, *places]


def run(environment: Environment, *, quick: bool, more: Sequence[str]) -> int:
    """Run pytest; its exit status, for which nothing collected is a failure too."""
    command = [str(environment.python), "-m", "pytest", *arguments(quick=quick, more=more)]
    with tempfile.TemporaryDirectory(prefix="course-test-") as home:
        environ = {**os.environ, "COURSE_HOME": home, "JUPYTER_PREFER_ENV_PATH": "1"}
        environ.setdefault("OMP_NUM_THREADS", "1")  # the processes share the cores
        # pip leaves compiling to the first import. Dozens of kernels start here, and each would do
        # it again for all that it imports.
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        return subprocess.call(command, cwd=ROOT, env=environ)
