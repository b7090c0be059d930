"""What the learner has done: shown as a table, and forgotten on request."""

from __future__ import annotations

import shutil
import sys
from datetime import datetime
from pathlib import Path

from course import learner, manuscript

_KEPT_ASIDE = ("progress.json", "answers", "solutions")


def status() -> int:
    """Print each chapter's exercises and how they stand."""
    print("\n".join(table(learner.progress())))
    return 0


def table(progress: dict[str, learner.ExerciseProgress]) -> list[str]:
    """The lines of the table: a heading a chapter, a line an exercise."""
    lines = []
    for chapter in manuscript.chapters():
        ids = [cell.exercise for cell in manuscript.read(chapter) if cell.exercise]
        entries = [(name, progress.get(name, learner.ExerciseProgress())) for name in ids]
        passed = sum(entry.passed for _, entry in entries)
        lines.append(f"{chapter.replace('_', ' ')}: {passed} of {len(ids)} passed")
        for name, entry in entries:
            tries = f"{entry.attempts} {'try' if entry.attempts == 1 else 'tries'}"
            hints = f"{entry.hints} {'hint' if entry.hints == 1 else 'hints'}"
            state = "passed" if entry.passed else entry.status
            lines.append(f"  {name:<34}{state:<15}{tries:>9}{hints:>10}".rstrip())
    lines.append(f"Your answers are kept in {learner.home() / 'answers'}.")
    return lines


def reset(*, ask: bool) -> int:
    """Move progress and answers to a dated folder under `<home>/kept/`."""
    home = learner.home()
    there = [home / name for name in _KEPT_ASIDE if (home / name).exists()]
    if not there:
        print("There is nothing to forget.")
        return 0
    if ask and not _confirmed(
        f"Forget your progress and answers in {home}? A copy is kept. [y/N] "
    ):
        print("Nothing was changed.")
        return 1
    target = _fresh(home / "kept" / f"reset-{datetime.now():%Y-%m-%d-%H%M%S}")
    target.mkdir(parents=True)
    for path in there:
        shutil.move(path, target / path.name)
    print(f"Forgotten. What you had is kept in {target}; to have it back, move it to {home}.")
    return 0


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
