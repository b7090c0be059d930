"""Style and types: part of the tests, so that one command and one summary line tell all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "tool", [["ruff", "check", "--quiet"], ["mypy", "--no-error-summary"]], ids=["ruff", "mypy"]
)
def test_finds_nothing(tool: list[str]) -> None:
    command = [sys.executable, "-m", *tool]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, f"{tool[0]}:\n{answer.stdout[-6000:]}{answer.stderr[-2000:]}"
