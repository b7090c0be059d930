"""What every test stands on: a learner's folder of its own, a browser, Colab's versions.

Fixtures for all tests:
    course_home   (autouse) a fresh folder for the learner's state
    project_copy  a copy of the files that belong to the project, to build and clone from
    computed      a learner's folder with the vectors of Python's documentation, for all processes
    trained       the same with the results of the chapters' trainings
    rehearsed     the same with results of a few updates in their places
    chromium      the path of a Chromium; the test is skipped, or on CI failed, where there is none
    colab_python  the Python of an environment with Google Colab's versions
    run_in_colab  runs code or a notebook there
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from course.setup import torch_build
from course.setup.doctor import chromium as find_chromium
from course.setup.environment import Machine, python_in
from course.setup.installer import Installer, Work, installing_environ
from course.setup.prepare import places
from course.setup.requirements import pins, requirements
from course.setup.runner import Progress, locked
from tests.spread import pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]  # pytest finds the hook here

ROOT = Path(__file__).resolve().parents[1]
COLAB = ROOT / "tests" / "colab"

# Property tests try the same examples in every run, and on a busy machine none fails for its slowness.
settings.register_profile(
    "course",
    deadline=None,
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("few", settings.get_profile("course"), max_examples=5)
settings.load_profile("course")


@pytest.fixture(autouse=True)
def course_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh, empty folder for the learner's state, so that no test touches a person's own."""
    home = tmp_path / "course-home"
    monkeypatch.setenv("COURSE_HOME", str(home))
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    return home


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a check's search come to its end on a slow machine too: what it says is tested, not how fast."""
    search = sys.modules.get("course.checking.explain.first_step")
    if search is not None:
        monkeypatch.setattr(search, "SECONDS", 1.5)


def pytest_configure() -> None:
    """Let an interrupt interrupt: a process that a script starts in the background ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a GPU where there is none."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device, and PyTorch sees none")


@pytest.fixture(scope="session")
def project_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the working tree without what git ignores."""
    folder = tmp_path_factory.mktemp("project") / "course"
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learner's folder in which there are the vectors of Python's documentation, and no more."""
    home = _shared(tmp_path_factory) / "computed-home"
    with locked(home.with_suffix(".lock"), lambda: None), pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(home))
        from course.datasets import passages

        passages.load(lambda done, of: None)  # reads them, where another process was first
    return home


@pytest.fixture(scope="session")
def trained(computed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the results of the chapters' trainings, which take four minutes."""
    return _with_trainings(computed, _shared(tmp_path_factory) / "trained-home")


@pytest.fixture(scope="session")
def rehearsed(computed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with results of a few updates in their places, for cells that need any."""
    return _with_trainings(computed, _shared(tmp_path_factory) / "rehearsed-home", "--rehearsed")


def _with_trainings(computed: Path, home: Path, *options: str) -> Path:
    with locked(home.with_suffix(".lock"), lambda: None):
        if not (home / "trained").exists():
            shutil.copytree(computed, home, dirs_exist_ok=True)
            program = [sys.executable, "-m", "tests.notebooks.trained", *options]
            environ = {**os.environ, "COURSE_HOME": str(home), "OMP_NUM_THREADS": "1"}
            subprocess.run(program, cwd=ROOT, env=environ, check=True, capture_output=True)
            (home / "trained").touch()
    return home


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to drive."""
    path = find_chromium()
    if path is None:
        sentence = "needs Chromium: install it, or name it in COURSE_CHROMIUM"
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail(f"{sentence}; on CI it must be there")
        pytest.skip(sentence)
    return path


@pytest.fixture(scope="session")
def colab_python() -> Path:
    """The Python of `.venv-colab/`, which has Colab's versions; made when they or ours change."""
    folder = ROOT / ".venv-colab"
    python = python_in(folder, "venv", Machine().system)
    versions = (COLAB / "constraints.txt").read_text()
    torch = pins()["torch"]
    wanted = [versions, requirements(), torch, sys.version]
    digest = hashlib.sha256(json.dumps(wanted).encode()).hexdigest()
    stamp = folder / "colab.sha256"
    with locked(ROOT / ".venv-colab.lock", waiting=lambda: None):
        if not stamp.exists() or stamp.read_text() != digest:
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            _fill_colab(folder, python, versions, torch)
            stamp.write_text(digest)
    return python


def _fill_colab(folder: Path, python: Path, versions: str, torch: str) -> None:
    """Install Colab's versions first, as Colab has them, then what the course needs beside."""
    held = dict(line.split("==") for line in versions.splitlines() if "==" in line)
    installer = Installer.find(python, has_pip=True)
    assert installer is not None
    machine = Machine()
    build = torch_build.choose(
        machine,
        torch,
        lambda: False,  # nothing is computed there that would need a GPU
        torch_build.cpu_index_answers,
        lambda: torch_build.find_links(machine.environ, installer.pip_config()),
    )
    with (folder / "install.log").open("w") as log:
        work = Work(installer, Progress(), log, installing_environ(machine.environ))
        if build.index:
            index = ["--no-deps", "--index-url", build.index]
            work.install([f"torch=={torch}"], {}, index)
        colab = [f"{name}=={version}" for name, version in held.items()]
        # The course comes second and unconstrained, as `%pip install` would add it on Colab:
        # a test asserts that it leaves all of Colab's versions as they were.
        for wanted in ([*colab, f"torch=={torch}"], requirements()):
            status = work.install(wanted, {}, places(build))
            assert status == 0, "\n".join(work.lines[-20:])


RunInColab = Callable[..., list[Any]]


@pytest.fixture
def run_in_colab(colab_python: Path, tmp_path: Path) -> RunInColab:
    """Runs a notebook (a path), or code (a text, or one text a cell), under Colab's versions.

    Returns the executed cells; a cell that raises fails the test with its traceback. Code finds
    the packages on its path; a notebook must find them by its own first cell, as on Colab.
    """

    def execute(what: Path | str | list[str], seconds: int = 120) -> list[Any]:
        import nbformat  # with what it checks texts by, it takes two seconds

        environ = {**os.environ, "JUPYTER_PREFER_ENV_PATH": "1"}
        environ.pop("PYTHONPATH", None)
        if isinstance(what, Path):
            notebook, folder = nbformat.read(what, as_version=4), what.parent
        else:
            cells = [what] if isinstance(what, str) else what
            made = [nbformat.v4.new_code_cell(cell) for cell in cells]
            notebook, folder = nbformat.v4.new_notebook(cells=made), tmp_path
            environ["PYTHONPATH"] = str(ROOT)
        path = tmp_path / "executed.ipynb"
        nbformat.write(notebook, path)
        command = [colab_python, COLAB / "execute.py", path, folder, str(seconds)]
        answer = subprocess.run(
            command, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if answer.returncode != 0:
            pytest.fail(f"under Colab's versions:\n{answer.stderr[-4000:]}", pytrace=False)
        executed = nbformat.read(path, as_version=4)
        return [cell for cell in executed.cells if cell.cell_type == "code"]

    return execute
