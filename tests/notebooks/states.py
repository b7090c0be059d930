"""Builds a chapter in a chosen state and runs it as a learner's machine would, offline."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.content import manuscript
from course.press import notebooks as press
from tests.notebooks.offline import NO_NETWORK

CELL_SECONDS = (
    900  # a cell that hangs ends; a busy machine may take ten times as long as a quiet one
)


@dataclass
class Outcome:
    """What a run left behind."""

    returncode: int
    output: str
    progress: dict[str, dict[str, Any]]
    answers: set[str]
    network: str

    def statuses(self) -> dict[str, str]:
        """The last status of each exercise."""
        return {name: entry["status"] for name, entry in self.progress.items()}

    def mistakes(self) -> dict[str, list[str]]:
        """The mistakes that each check named last."""
        return {name: entry["mistakes"] for name, entry in self.progress.items()}


def exercises_of(chapter: str) -> list[str]:
    """The exercises of a chapter, in their order."""
    return [cell.exercise for cell in manuscript.read(chapter) if cell.exercise]


def solutions_of(chapter: str) -> dict[str, str]:
    """The model solution of each exercise of a chapter."""
    return {cell.exercise: cell.solved for cell in manuscript.read(chapter) if cell.exercise}


def variant(chapter: str, given: Mapping[str, str], *, checks_alone: bool = False) -> str:
    """The chapter's notebook with these sources typed into its exercises, the others untouched.

    With `checks_alone` it has the imports, and each exercise with the two cells that check and use it.
    """
    unknown = set(given) - set(exercises_of(chapter))
    if unknown:
        raise ValueError(f"chapter {chapter} has no exercise {', '.join(sorted(unknown))}")
    cells = [
        dataclasses.replace(cell, source=given[cell.exercise]) if cell.exercise in given else cell
        for cell in (_checks(chapter) if checks_alone else manuscript.read(chapter))
    ]
    return press.notebook(chapter, cells, solved=False)


def _checks(chapter: str) -> list[manuscript.Cell]:
    code = [cell for cell in manuscript.read(chapter) if cell.kind == "code"]
    kept = [cell for cell in code if cell.id == "setup"]
    for place, cell in enumerate(code):
        if cell.exercise:
            assert f'check("{cell.exercise}"' in code[place + 1].source, cell.id
            assert f'use("{cell.exercise}")' in code[place + 2].source, cell.id
            kept += code[place : place + 3]
    return kept


def run(
    text: str, folder: Path, home: Path, *, apart: str = "", computed: Path | None = None
) -> Outcome:
    """Run a notebook from top to bottom under nbval, with `home` as the learner's folder.

    `apart` names the part of `home` that a notebook of solutions uses. `computed` holds what takes
    long to compute and was computed before; without it the notebook computes all itself.
    """
    if computed is not None:
        for place in {home, home / apart}:
            shutil.copytree(computed, place, dirs_exist_ok=True)
    chapters = folder / "chapters"
    chapters.mkdir(parents=True, exist_ok=True)
    (chapters / "chapter.ipynb").write_text(text, encoding="utf-8")
    (folder / "site").mkdir(exist_ok=True)
    (folder / "site" / "sitecustomize.py").write_text(NO_NETWORK)
    network = folder / "network.txt"
    environment = {
        **os.environ,
        "COURSE_HOME": str(home),
        "XDG_CACHE_HOME": str(folder / "cache"),  # no public set that somebody has fetched here
        "COURSE_TEST_NETWORK": str(network),
        "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(press.ROOT)]),
        "OMP_NUM_THREADS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # it needs none but this
    }
    command = [sys.executable, "-m", "pytest", "chapters/chapter.ipynb", "-q", "-rN"]
    command += ["--rootdir", str(folder), "-c", os.devnull, "-p", "no:cacheprovider"]
    command += [
        "-p",
        "nbval.plugin",
        "--nbval-lax",
        "--nbval-current-env",
        f"--nbval-cell-timeout={CELL_SECONDS}",
    ]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = done.stdout.decode("utf-8", "replace")
    return left_behind(done.returncode, output, home / apart, network)


def left_behind(status: int, output: str, home: Path, network: Path) -> Outcome:
    """What is found after a run in the part of the learner's folder that it used."""
    progress = home / "progress.json"
    return Outcome(
        status,
        re.sub(r"\x1b\[[0-9;]*m", "", output),  # without colours
        json.loads(progress.read_text(encoding="utf-8"))["exercises"] if progress.exists() else {},
        {path.stem for path in (home / "answers").glob("*.py")},
        network.read_text() if network.exists() else "",
    )
