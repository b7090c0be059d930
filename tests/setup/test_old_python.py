"""A Python that is too old says so in one sentence, which it must be able to read."""

from __future__ import annotations

import ast
import glob
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from course import __main__ as entry

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_what_runs_first_can_be_read_by_old_pythons(name: str) -> None:
    source = (ROOT / "course" / name).read_text(encoding="ascii")  # Python 2 reads nothing else
    ast.parse(source, feature_version=(3, 4))
    assert not re.search(r"\bf[\"']", source)


def test_nothing_modern_is_imported_before_the_version_is_looked_at() -> None:
    tree = ast.parse((ROOT / "course" / "__main__.py").read_text())
    imported = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imported] == ["import sys"]


def test_the_sentence_says_what_is_needed_and_what_there_is() -> None:
    said = entry.too_old((3, 9, 2), "/usr/bin/python3")
    assert "needs Python 3.11" in said
    assert "Python 3.9 (/usr/bin/python3)" in said
    assert "\n" not in said


def test_agrees_with_pyproject() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert f'requires-python = ">={entry.OLDEST[0]}.{entry.OLDEST[1]}"' in text


def old_pythons() -> list[str]:
    """The Pythons of this machine that are too old, if it has any."""
    names = ["python2.7", *(f"python3.{minor}" for minor in range(5, 11))]
    found = [path for name in names if (path := shutil.which(name))]
    found += sorted(glob.glob(str(Path.home() / ".pyenv/versions/*/bin/python")))
    return [path for path in found if _version(path) < entry.OLDEST]


def _version(python: str) -> tuple[int, int]:
    code = "import sys; print('%d %d' % sys.version_info[:2])"
    answer = subprocess.run([python, "-c", code], capture_output=True, text=True)
    major, minor = answer.stdout.split() if answer.returncode == 0 else (99, 99)
    return int(major), int(minor)


def test_real_old_pythons_say_so() -> None:
    pythons = old_pythons()
    if not pythons:
        pytest.skip("needs a Python older than 3.11, and there is none here")
    for python in pythons:
        command = [python, "-B", "-m", "course", "test"]
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert answer.returncode == 1
        assert answer.stdout == ""
        assert answer.stderr.startswith("The course needs Python 3.11 or newer"), python
        assert answer.stderr.count("\n") == 1
