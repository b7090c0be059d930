"""What the learner has done: shown as a table, and forgotten on request."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import sys
from datetime import datetime
from pathlib import Path

from course import content, learner
from course.content import manuscript
from course.learner import lab_tasks

_NOT_FORGOTTEN = ("kept", "workspaces", "lock")  # earlier copies, open tabs, the lock
_LEFT = re.compile(r"\.\d+\.tmp$")


def status() -> int:
    """Print each chapter's exercises and how they stand."""
    print("\n".join(table(learner.progress())))
    return 0


def table(progress: dict[str, learner.ExerciseProgress]) -> list[str]:
    """The lines of the table: a heading a chapter, a line an exercise; then the labs' tasks."""
    lines = []
    for chapter in content.chapters():
        ids = [cell.exercise for cell in manuscript.read(chapter) if cell.exercise]
        entries = [(name, progress.get(name, learner.ExerciseProgress())) for name in ids]
        passed = sum(entry.passed for _, entry in entries)
        lines.append(f"{chapter.replace('_', ' ')}: {passed} of {len(ids)} passed")
        for name, entry in entries:
            tries = f"{entry.attempts} {'try' if entry.attempts == 1 else 'tries'}"
            hints = f"{entry.hints} {'hint' if entry.hints == 1 else 'hints'}"
            state = "passed" if entry.passed else entry.status
            lines.append(f"  {name:<34}{state:<15}{tries:>9}{hints:>10}".rstrip())
    reached = lab_tasks.count()
    lines.append(f"labs: {reached} {'task' if reached == 1 else 'tasks'} reached")
    lines.append(f"Your answers are kept in {learner.home() / 'answers'}.")
    size = _size(_trainings())
    if size:
        lines.append(
            f"Your trainings take {_megabytes(size)} in {_trainings()}; they can be made again."
        )
    return lines


def _trainings() -> Path:
    """Where `course.training` keeps runs and results."""
    return learner.home() / "trainings"


def _size(folder: Path) -> int:
    """The bytes of a folder's files; a file of several names counts once."""
    found = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            about = path.lstat()
            found[about.st_dev, about.st_ino or path] = about.st_size if path.is_file() else 0
    return sum(found.values())


def _megabytes(size: int) -> str:
    return f"{max(size / 1e6, 0.1):,.1f} MB"


def reset(*, ask: bool) -> int:
    """Move progress, answers and all else that was noted to a dated folder in `<home>/kept/`."""
    home = learner.home()
    there = [path for path in _entries(home) if path.name not in _NOT_FORGOTTEN]
    if not there:
        print("There is nothing to forget.")
        return 0
    size = _size(_trainings())
    trainings = f", answers and trainings ({_megabytes(size)})" if size else " and answers"
    if ask and not _confirmed(f"Forget your progress{trainings} in {home}? A copy is kept. [y/N] "):
        print("Nothing was changed.")
        return 1
    target = _fresh(home / "kept" / f"reset-{datetime.now():%Y-%m-%d-%H%M%S}")
    target.mkdir(parents=True)
    for path in there:
        _move(path, target / path.name)
    print(f"Forgotten. What you had is kept in {target}; to have it back, move it to {home}.")
    if size:
        print(
            f"The trainings take {_megabytes(size)} of it; delete {target / 'trainings'} to be rid of them."
        )
    return 0


def _move(path: Path, target: Path) -> None:
    """Move whole or not at all; copy only where kept/ is on another disk."""
    try:
        os.rename(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.move(path, target)


def _entries(home: Path) -> list[Path]:
    """What lies in the learner's folder, what killed writes left included."""
    found = sorted(home.iterdir()) if home.is_dir() else []
    return [path for path in found if not path.name.startswith(".") or _LEFT.search(path.name)]


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        print("To reset without being asked, add --yes.", file=sys.stderr)
        return False
    return input(question).strip().lower() in ("y", "yes")


def _fresh(path: Path) -> Path:
    number, target = 2, path
    while target.exists():
        target, number = path.with_name(f"{path.name}-{number}"), number + 1
    return target
