"""The packages as a wheel: what Colab installs holds all that they read at run time."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(project_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's contents, and nothing of the repository near it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder]
    subprocess.run([*command, str(project_copy)], check=True)
    (wheel,) = folder.glob("encoder_course-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, code: str) -> str:
    lines = f"import sys; sys.path.insert(0, {str(installed)!r})\n{code}"
    command = [sys.executable, "-I", "-c", lines]
    return subprocess.run(command, cwd=installed, capture_output=True, text=True, check=True).stdout


def test_holds_every_file_of_both_packages(installed: Path) -> None:
    command = ["git", "-c", "safe.directory=*", "ls-files", "course", "encoder_core"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = [name for name in listed.splitlines() if (ROOT / name).exists()]
    assert "course/__init__.py" in tracked
    assert [name for name in tracked if not (installed / name).is_file()] == []


def test_holds_neither_tests_nor_notebooks(installed: Path) -> None:
    names = {path.name for path in installed.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"course", "encoder_core"}


def test_finds_its_model_solutions(installed: Path) -> None:
    code = (
        "import course.content.manuscript as m\n"
        "print(m.__file__)\n"
        "print('raise NotImplementedError' in m.solution('attention.softmax'))"
    )
    place, unsolved = run(installed, code).splitlines()
    assert place.startswith(str(installed))
    assert unsolved == "False"


def test_says_what_to_do_where_the_notebooks_are_missing(installed: Path) -> None:
    code = (
        "from course.setup.commands import main\n"
        "sys.stderr = sys.stdout\n"
        "print(main(['lab', '--no-browser']))"
    )
    said = run(installed, code)
    assert "clone the repository" in said
    assert said.rstrip().endswith("1")
