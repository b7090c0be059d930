"""From a fresh clone to JupyterLab, for real: packages are fetched and installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
COMMAND = ["-m", "course", "lab"]


def environ() -> dict[str, str]:
    """A terminal in which no environment is active."""
    return {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "CONDA_PREFIX")}


@pytest.fixture(scope="module")
def clone(project_copy: Path) -> Path:
    """A copy of the project with its environment made."""
    answer = prepare(project_copy)
    assert answer.returncode == 0, answer.stderr
    assert "To fetch: PyTorch" in answer.stderr
    assert "The environment is ready." in answer.stderr
    return project_copy


def prepare(folder: Path) -> subprocess.CompletedProcess[str]:
    python = getattr(sys, "_base_executable", sys.executable)
    return subprocess.run(
        [python, *COMMAND, "--prepare-only"],
        cwd=folder,
        env=environ(),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def own_python(clone: Path) -> Path:
    return clone / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def test_makes_an_environment_that_imports_both_packages_from_anywhere(
    clone: Path, tmp_path: Path
) -> None:
    code = "import course, encoder_core; print(course.__file__)"
    command = [own_python(clone), "-c", code]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(clone / "course" / "__init__.py")


def test_the_second_time_there_is_nothing_to_do(clone: Path) -> None:
    answer = prepare(clone)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_a_half_installed_package_is_put_there_anew(clone: Path) -> None:
    stamp = clone / ".venv" / "encoder-course.json"
    content = json.loads(stamp.read_text())
    stamp.write_text(json.dumps({**content, "state": "preparing"}))
    command = [own_python(clone), "-c", "import anywidget; print(anywidget.__file__)"]
    module = Path(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    )
    module.unlink()
    answer = prepare(clone)
    assert answer.returncode == 0, answer.stderr
    assert "1 packages are incomplete" in answer.stderr
    assert module.exists()


@pytest.fixture
def server(clone: Path) -> Iterator[str]:
    """The address, with its token, of a JupyterLab that the command started."""
    command = [sys.executable, *COMMAND, "--no-browser", "--port=0"]
    with subprocess.Popen(
        command,
        cwd=clone,
        env=environ(),
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if match := re.search(r"http://127\.0\.0\.1:\S+", line):
                    yield match.group()
                    break
            else:
                pytest.fail("JupyterLab ended without giving its address")
        finally:
            process.terminate()
            process.stderr.close()


def get(url: str) -> str:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url) as answer:
                return answer.read().decode()
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError):
                raise
            time.sleep(0.1)
    raise TimeoutError(url)


def test_jupyterlab_answers_with_its_token_only_and_asks_for_no_news(server: str) -> None:
    base, _, token = server.partition("?token=")
    assert "jupyter" in get(server).lower()
    assert token
    root = base.split("/lab")[0]
    plugin = "@jupyterlab/apputils-extension:notification"
    settings = json.loads(get(f"{root}/lab/api/settings/{plugin}?token={token}"))
    properties = settings["schema"]["properties"]
    assert properties["fetchNews"]["default"] == "false"
    assert properties["checkForUpdates"]["default"] is False
    with pytest.raises(urllib.error.HTTPError, match="403"):
        get(f"{root}/api/contents")
