"""What `pytest --nbval-lax chapters solutions` needs; the tests' own fixtures are in `tests/conftest.py`."""

from __future__ import annotations

import os
import tempfile

import pytest

from tests.spread import pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]  # under `-n`, the cells of a notebook stay in one process


def pytest_configure(config: pytest.Config) -> None:
    """Run notebooks in an empty folder for the learner's state, never in the learner's own.

    A notebook saves what its checks say, and `use()` prefers saved answers to the reference: with
    the learner's own folder the run would change both the learner's progress and its own result.
    """
    runs_notebooks = config.getoption("nbval", False) or config.getoption("nbval_lax", False)
    if not runs_notebooks or hasattr(config, "workerinput"):  # a worker inherits the folder
        return
    home = tempfile.TemporaryDirectory(prefix="course-notebooks-")
    config.add_cleanup(home.cleanup)
    os.environ["COURSE_HOME"] = home.name
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # the kernel of this environment
