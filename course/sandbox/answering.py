"""Which exercise's answer is running, so that it cannot pass by calling its own reference.

`use`, the model solutions and `manuscript.solution` report here when they are reached; only the exercise
whose answer is running at that moment is concerned. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class BorrowedError(Exception):
    """An answer asked `use` for itself."""


_running: list[str] = []
_borrowed: dict[str, str] = {}


@contextmanager
def answering(exercise_id: str) -> Iterator[None]:
    """While the block runs, the answer to this exercise is running."""
    _running.append(exercise_id)
    try:
        yield
    finally:
        _running.pop()


@contextmanager
def paused() -> Iterator[None]:
    """While the block runs, what is reached is reached by the course itself."""
    held = _running[:]
    _running.clear()
    try:
        yield
    finally:
        _running[:] = held


def running() -> bool:
    """Whether any answer is running."""
    return bool(_running)


def reached(exercise_id: str, how: str) -> bool:
    """Note that the reference of an exercise was reached; whether its own answer is what is running."""
    if exercise_id not in _running:
        return False
    _borrowed.setdefault(exercise_id, how)
    return True


def borrowed(exercise_id: str) -> str | None:
    """How the answer to an exercise reached its reference, in words, and forget it; None if it didn't."""
    return _borrowed.pop(exercise_id, None)
