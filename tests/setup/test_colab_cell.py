"""The first cell of each notebook: finds the course or says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from course.setup import colab

ROOT = Path(__file__).resolve().parents[2]


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a folder with a Python that has no course."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=folder, capture_output=True, text=True
    )


def test_is_small() -> None:
    for repository in ("", "git+https://example.org/someone/course"):
        lines = colab.first_cell(repository).splitlines()
        assert len(lines) <= 8
        assert max(map(len, lines)) <= 100


def test_finds_the_course_above_the_notebook(tmp_path: Path) -> None:
    for folder in (ROOT / "course", ROOT / "tests" / "setup"):
        answer = run(colab.first_cell("") + "\nprint(course.__file__)", folder)
        assert answer.stdout.strip() == str(ROOT / "course" / "__init__.py"), answer.stderr


def test_without_an_address_it_says_what_to_do(tmp_path: Path) -> None:
    answer = run(colab.first_cell(""), tmp_path)
    assert answer.returncode == 1
    assert "Open this notebook in its folder" in answer.stderr


def test_with_an_address_it_installs(tmp_path: Path) -> None:
    cell = colab.first_cell("git+https://example.org/someone/course")
    line = next(line for line in cell.splitlines() if "%pip" in line)
    assert line.strip() == '%pip install -q "git+https://example.org/someone/course"'
    answer = run(cell.replace(line, "    print('installs')"), tmp_path)
    assert answer.stdout.strip() == "installs"
    answer = run(cell.replace(line, "    print('installs')"), ROOT / "tests")
    assert answer.stdout.strip() == "", "where the course is found nothing is installed"


def test_the_address_is_pyproject_s_unless_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_REPOSITORY", "git+https://example.org/fork")
    assert colab.repository() == "git+https://example.org/fork"
    monkeypatch.delenv("COURSE_REPOSITORY")
    assert colab.repository() == colab.requirements.project()["tool"]["course"]["repository"]
