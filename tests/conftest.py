"""What every test stands on: a learner's folder of its own, and no network by accident."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def course_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh, empty folder for the learner's state, so that no test touches a person's own."""
    home = tmp_path / "course-home"
    monkeypatch.setenv("COURSE_HOME", str(home))
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    return home
