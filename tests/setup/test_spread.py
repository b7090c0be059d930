"""Tests that build on one another run in one process, in their order."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.spread import rank, together

ROOT = Path(__file__).resolve().parents[2]

# Each test writes down its process and its place; some take longer, so that work gets shared out.
STEPS = """
import os, pathlib, time
import pytest

@pytest.mark.parametrize("place", range(12))
def test_step(place):
    time.sleep(0.02 * (place % 3))
    with open(pathlib.Path(__file__).with_suffix(".txt"), "a") as file:
        file.write(f"{os.getpid()} {place}\\n")
"""


def test_a_notebooks_cells_are_together_and_so_are_its_states():
    assert together("chapters/02.ipynb::Cell 1") == together("chapters/02.ipynb::Cell 2")
    assert together("chapters/02.ipynb::Cell 1") != together("solutions/02.ipynb::Cell 1")
    assert together("tests/press/test_a.py::test_b[x::y]") == "tests/press/test_a.py"
    assert together("tests/notebooks/test_a.py::b") != together("tests/notebooks/test_a.py::c")
    states = "tests/notebooks/test_states.py::test"
    assert together(f"{states}_a[03_c]") == together(f"{states}_b[03_c]")
    assert together(f"{states}_a[03_c]") != together(f"{states}_a[04_d]")
    assert together(f"{states}_a") != together(f"{states}_b")
    assert together("tests/browser/test_a.py::b") == together("tests/browser/test_c.py::d")
    assert together("tests/labs/test_a_colab.py::b") == together("tests/colab/test_c.py::d")


def test_the_browsers_tests_begin_first_then_the_notebooks():
    tests = [
        "tests/press/test_a.py::b",
        "tests/notebooks/test_a.py::b",
        "tests/browser/test_a.py::b",
    ]
    groups = [together(test) for test in tests]
    assert sorted(groups, key=rank) == groups[::-1]


@pytest.mark.slow
def test_two_processes_keep_each_file_whole(tmp_path):
    for name in "abcd":
        (tmp_path / f"test_{name}.py").write_text(STEPS)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "tests.spread"]
    command += ["--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    environ.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout

    processes = defaultdict(set)
    for name in "abcd":
        lines = [line.split() for line in (tmp_path / f"test_{name}.txt").read_text().splitlines()]
        assert [int(place) for _, place in lines] == list(range(12))
        processes[name] = {process for process, _ in lines}
        assert len(processes[name]) == 1
    assert len(set.union(*processes.values())) == 2
