"""The course under Google Colab's versions: it installs beside them and changes none of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from course import content
from course.setup.requirements import normal
from tests.colab.chosen import BY_DAY
from tests.sampled import NIGHT, by_day

COLAB = Path(__file__).parent
CHAPTERS = COLAB.parents[1] / "chapters"
UNTOUCHED = {"torch", "numpy", "ipywidgets", "plotly", "ipykernel", "ipython", "traitlets"}

OTHERS = (name for name in content.chapters() if name not in BY_DAY)
NAMES = by_day([*BY_DAY, *OTHERS], len(BY_DAY))

pytestmark = [pytest.mark.slow, pytest.mark.colab]


def versions(python: Path) -> dict[str, str]:
    command = [python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {normal(one["name"]): one["version"] for one in listed}


def test_has_colab_s_versions(colab_python: Path) -> None:
    lines = (COLAB / "constraints.txt").read_text().splitlines()
    wanted = {normal(line): line.split("==")[1] for line in lines if "==" in line}
    there = versions(colab_python)
    assert len(wanted) > 15
    assert {name: there.get(name) for name in wanted} == wanted


def test_installing_the_course_changes_none_of_colab_s_packages(
    colab_python: Path, project_copy: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    command = [colab_python, "-m", "pip", "install", "--dry-run", "--quiet", "--report", report]
    subprocess.run([*command, str(project_copy)], check=True)
    changed = {normal(one["metadata"]["name"]) for one in json.loads(report.read_text())["install"]}
    assert "encoder-course" in changed
    assert changed & UNTOUCHED == set()


def test_the_fixture_reports_a_cell_that_raises(run_in_colab) -> None:
    with pytest.raises(pytest.fail.Exception, match="ZeroDivisionError"):
        run_in_colab(["x = 1", "x / 0"])


def test_imports_and_widgets_under_colab_s_versions(run_in_colab) -> None:
    cells = run_in_colab(
        "import ipywidgets, plotly, course, encoder_core\n"
        "print(ipywidgets.__version__, plotly.__version__)"
    )
    assert cells[-1]["outputs"][0]["text"].split() == ["7.7.1", "5.24.1"]


REHEARSAL = f"""
import runpy, sys
sys.argv.append("--rehearsed")
runpy.run_path({str(COLAB.parent / "notebooks" / "trained.py")!r})["chapter_06"]()
"""


@pytest.mark.parametrize("name", [f"{chapter}.ipynb" for chapter in NAMES])
def test_a_chapter_runs_untouched_under_colab_s_versions(
    run_in_colab, name: str, request: pytest.FixtureRequest, course_home: Path
) -> None:
    if not NIGHT:  # the vectors of Python's documentation alone: they take half a minute
        shutil.copytree(request.getfixturevalue("computed"), course_home, dirs_exist_ok=True)
        shutil.rmtree(course_home / "trainings", ignore_errors=True)
        if name.startswith("06"):  # each training makes a few updates there
            run_in_colab(REHEARSAL, seconds=300)
    cells = run_in_colab(CHAPTERS / name, seconds=300)
    assert cells[0]["id"] == "colab", "the first cell finds the course"
    assert all(cell["execution_count"] for cell in cells if cell["source"].strip())
