"""What takes long to compute for a notebook is computed once, for all tests of all processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from course.datasets import passages
from course.setup.runner import locked


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learner's folder in which there are the vectors of Python's documentation, and no more."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    home = shared / "computed-home"
    with locked(shared / "computed.lock", lambda: None), pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(home))
        passages.load(lambda done, of: None)  # reads them, where another process was first
    return home
