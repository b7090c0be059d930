"""Which of the labs' tasks the learner has reached: `<home>/labs.json`.

    {"schema": 1, "labs": {"attention": {"previous-word": true}}}

It is a help to the learner, so no trouble with the file stops anything: what cannot be written is
kept while the process runs. Labs and tasks that this course does not know stay in the file.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from course import learner
from course.system import files

_unwritten: dict[Path, set[tuple[str, str]]] = {}  # by home: lab and task


def reached(lab: str) -> set[str]:
    """The ids of a lab's tasks that were reached, in this sitting or an earlier one."""
    held = {task for of, task in _unwritten.get(learner.home(), ()) if of == lab}
    return held | _tasks_of(_labs(_readable()), lab)


def count() -> int:
    """How many tasks were reached in all labs together."""
    labs = _labs(_readable())
    return sum(len(_tasks_of(labs, lab)) for lab in labs)


def note(lab: str, task: str) -> None:
    """Note that a task was reached."""
    home = learner.home()
    waiting = _unwritten.setdefault(home, set())
    waiting.add((lab, task))
    with contextlib.suppress(OSError, ValueError):  # ValueError: text that UTF-8 cannot hold
        with files.locked(home):
            kept = _read()
            labs = kept["labs"] = _labs(kept)
            for of, each in waiting:
                if not isinstance(labs.get(of), dict):
                    labs[of] = {}
                labs[of][each] = True
            files.write(_path(), json.dumps(kept, indent=1, sort_keys=True) + "\n")
        waiting.clear()


def _path() -> Path:
    return learner.home() / "labs.json"


def _readable() -> dict[str, Any]:
    """What the file holds; nothing, where it can't be read at this moment."""
    try:
        return _read()
    except OSError:
        return {}


def _read() -> dict[str, Any]:
    """What the file holds; a copy of a damaged file is kept, and an empty one goes on.

    Raises:
        OSError: it can't be read, so it must not be written either.
    """
    try:
        kept = json.loads(files.read(_path()))
        if isinstance(kept, dict) and isinstance(kept.get("labs", {}), dict):
            return {"schema": 1, **kept}  # a newer course's number stays
    except FileNotFoundError:
        return {"schema": 1}
    except (ValueError, RecursionError):
        pass
    with contextlib.suppress(OSError):
        learner.keep(_path())
    return {"schema": 1}


def _labs(kept: dict[str, Any]) -> dict[str, Any]:
    labs = kept.get("labs")
    return labs if isinstance(labs, dict) else {}


def _tasks_of(labs: dict[str, Any], lab: str) -> set[str]:
    tasks = labs.get(lab)
    return (
        {task for task, done in tasks.items() if done is True} if isinstance(tasks, dict) else set()
    )
