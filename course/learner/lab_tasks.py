"""Which of the labs' tasks the learner has reached: `<home>/labs.json`.

    {"schema": 1, "labs": {"attention": {"previous-word": true}}}

What cannot be written is kept while the process runs. Labs and tasks that this course does not know
stay in the file.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from course import learner
from course.learner import notes
from course.system import files

_unwritten: dict[Path, set[tuple[str, str]]] = {}  # by home: lab and task


def reached(lab: str) -> set[str]:
    """The ids of a lab's tasks that were reached, in this sitting or an earlier one."""
    held = {task for of, task in _unwritten.get(learner.home(), ()) if of == lab}
    return held | _tasks_of(_labs(), lab)


def count() -> int:
    """How many tasks were reached in all labs together."""
    labs = _labs()
    return sum(len(_tasks_of(labs, lab)) for lab in labs)


def note(lab: str, task: str) -> None:
    """Note that a task was reached."""
    home = learner.home()
    waiting = _unwritten.setdefault(home, set())
    waiting.add((lab, task))
    with contextlib.suppress(OSError, ValueError):  # ValueError: text that UTF-8 cannot hold
        with files.locked(home):
            kept = {"schema": 1, **notes.read(_path(), "labs")}  # a newer course's number stays
            labs = kept.setdefault("labs", {})
            for of, each in waiting:
                if not isinstance(labs.get(of), dict):
                    labs[of] = {}
                labs[of][each] = True
            notes.write(_path(), kept)
        waiting.clear()


def _path() -> Path:
    return learner.home() / "labs.json"


def _labs() -> dict[str, Any]:
    labs: dict[str, Any] = notes.readable(_path(), "labs").get("labs", {})
    return labs


def _tasks_of(labs: dict[str, Any], lab: str) -> set[str]:
    tasks = labs.get(lab)
    return (
        {task for task, done in tasks.items() if done is True} if isinstance(tasks, dict) else set()
    )
