"""Tasks to solve by playing in a lab, and how they stand.

A lab declares its tasks in its own `challenges.py`. Each has a recogniser that looks at what the
lab shows, so any settings that have the property count. The lab asks the recognisers after each
change, once the picture is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course.learner import lab_tasks


@dataclass(frozen=True)
class Challenge:
    """A task.

    Attributes:
        id: its name in the learner's progress, unique in its lab.
        asks: what to do, plain text.
        hint: where to begin, on request.
        why: what the solution shows, in one to three sentences; told when it is reached.
        reached: recognises the solution. It changes nothing and takes 2 ms at most.
    """

    id: str
    asks: str
    hint: str
    why: str
    reached: Callable[[Any], bool]


@dataclass(frozen=True)
class Tasks:
    """A lab's name in the learner's progress, and its tasks in order."""

    lab: str
    challenges: tuple[Challenge, ...]


class Challenges:
    """The tasks of one lab and which of them are reached; printed, they stand as text."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._reached = lab_tasks.reached(tasks.lab) if tasks.challenges else set()

    def look(self, lab: Any) -> bool:
        """Ask the recognisers of the tasks that are not reached; whether one is reached now.

        A recogniser that raises has not recognised its task; the lab goes on.
        """
        found = [each for each in self._open() if _recognises(each, lab)]
        for each in found:
            self._reached.add(each.id)
            lab_tasks.note(self._tasks.lab, each.id)
        return bool(found)

    def content(self) -> list[dict[str, Any]]:
        """The tasks for the front end; `why` is there once a task is reached."""
        return [
            {"id": each.id, "asks": each.asks, "hint": each.hint}
            | ({"why": each.why} if each.id in self._reached else {})
            for each in self._tasks.challenges
        ]

    def hint(self, number: int) -> str:
        """The hint of a task, by its number from 1.

        Raises:
            ValueError: there is no such task.
        """
        count = len(self._tasks.challenges)
        if number not in range(1, count + 1):
            raise ValueError(f"There is no task {number!r}; there are {count}, numbered from 1.")
        return self._tasks.challenges[number - 1].hint

    def _open(self) -> list[Challenge]:
        return [each for each in self._tasks.challenges if each.id not in self._reached]

    def __len__(self) -> int:
        return len(self._tasks.challenges)

    def __repr__(self) -> str:
        count = len(self)
        lines = [f"Tasks: {count - len(self._open())} of {count} reached"]
        for number, each in enumerate(self._tasks.challenges, 1):
            done = each.id in self._reached
            lines.append(f"{number}. [{'reached' if done else 'to do'}] {each.asks}")
            lines += [f"   {each.why}"] if done else []
        if self._open():
            lines.append("challenges.hint(number) gives a hint.")
        return "\n".join(lines)


def _recognises(challenge: Challenge, lab: Any) -> bool:
    try:
        return bool(challenge.reached(lab))
    except Exception:
        return False
