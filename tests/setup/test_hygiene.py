"""What is in the repository, and what must not be."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES = 5
# A package index, or a folder of one machine, has no place in a file that others get. The two
# hosts below are spoken of on purpose: PyTorch's index of CPU builds is asked by the bootstrap.
FORBIDDEN = re.compile(
    r"(/root/|/home/(?!me\b|Zo)[a-z]\w*/|/opt/(wheels|pypi)|/work/|\bC:\\\\?Users\\)"
    r"|(files\.pythonhosted\.org|pypi\.org/simple|index-url\s*=|artifactory|devpi)"
)


def tracked() -> list[Path]:
    """The files that git holds."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [ROOT / name for name in listed.split("\0") if name]
    assert len(found) > 20
    return [path for path in found if path.is_file()]


def test_no_file_is_large() -> None:
    large = [p.name for p in tracked() if p.stat().st_size > MEGABYTES * 1_000_000]
    assert large == []


def test_no_file_names_one_machine_s_folders_or_a_package_index() -> None:
    found = []
    for path in tracked():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        found += [
            f"{path.relative_to(ROOT)}: {match.group()}" for match in FORBIDDEN.finditer(text)
        ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["/root/.cache", "/home/ada/course", "/opt/wheels", "https://pypi.org/simple/torch"]
)
def test_such_text_would_be_found(text: str) -> None:
    assert FORBIDDEN.search(text)


def test_notebooks_have_a_kernel_and_no_outputs() -> None:
    notebooks = [path for path in tracked() if path.suffix == ".ipynb"]
    if not notebooks:
        pytest.skip("no notebook has been made yet")
    for path in notebooks:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        assert notebook["metadata"]["kernelspec"]["name"] == "python3", path.name
        for cell in notebook["cells"]:
            assert not cell.get("outputs"), f"{path.name}: {cell['id']}"
            assert cell.get("execution_count") is None, f"{path.name}: {cell['id']}"


def test_what_the_course_makes_is_ignored() -> None:
    made = [".venv/x", ".venv.lock", ".venv-colab/x", ".venv-colab.lock", ".course/progress.json"]
    command = ["git", "-c", "safe.directory=*", "check-ignore", *made]
    ignored = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert ignored == made


def test_ci_calls_the_readme_s_command() -> None:
    script = ROOT / ".ci" / "run"
    assert subprocess.run(["bash", "-n", script]).returncode == 0
    assert script.stat().st_mode & 0o111
    lines = script.read_text().splitlines()
    assert lines[-1] == 'exec python3 -m course test "$@" </dev/null'
    assert "set -euo pipefail" in lines
