"""What the model solution with listed mistakes gives, computed once for each mistake and probe."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from course.checking.exercise import Exercise, Mistake
from course.checking.explain.agreeing import Difference, alike, difference
from course.checking.trials import running
from course.checking.trials.probes import Probe
from course.checking.trials.running import Outcome


def functions(exercise: Exercise, *mistakes: Mistake) -> Iterator[Callable[..., Any]]:
    """The model solution with these mistakes made in it; nothing where they don't combine."""
    for order in itertools.permutations(mistakes):
        try:
            yield exercise.mistaken(*order)
        except (ValueError, SyntaxError):
            continue
        return


class Imitation:
    """The outcomes of the model solution with some mistakes, found out probe by probe."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._outcomes: dict[int, tuple[Probe, Outcome]] = {}  # the probe keeps its id its own

    def on(self, probe: Probe) -> Outcome:
        """What it gives on this probe."""
        if id(probe) not in self._outcomes:
            self._outcomes[id(probe)] = probe, running.run(self._function, probe, ours=True)
        return self._outcomes[id(probe)][1]

    def leaves(self, probe: Probe, expected: Outcome) -> tuple[Difference | None, Outcome]:
        """How it differs from the reference on this probe, and what it gives."""
        return difference(probe, expected, self.on(probe)), self.on(probe)

    def differs(self, probe: Probe, expected: Outcome) -> bool:
        """Whether it leaves the reference on this probe."""
        found, own = self.leaves(probe, expected)
        return found is not None or bool(own.faults)

    def gives(self, probe: Probe, actual: Outcome) -> bool:
        """Whether it gives the same as a submission, faults included."""
        own = self.on(probe)
        return alike(probe, own, actual) and own.fault_ids == actual.fault_ids


class Imitations:
    """The imitations of one exercise; those of single mistakes are kept, for no learner changes them."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self._kept: dict[str, Imitation | None] = {}

    def of(self, *mistakes: Mistake) -> Imitation | None:
        """The imitation with these mistakes; None where they don't combine."""
        if len(mistakes) != 1:
            return self._made(*mistakes)
        (mistake,) = mistakes
        if mistake.id not in self._kept:
            self._kept[mistake.id] = self._made(mistake)
        return self._kept[mistake.id]

    def _made(self, *mistakes: Mistake) -> Imitation | None:
        function = next(functions(self.exercise, *mistakes), None)
        return None if function is None else Imitation(function)


_latest: list[Imitations] = []  # of one exercise: its outcomes are tensors


def imitations(exercise: Exercise) -> Imitations:
    """The imitations of an exercise, kept until another exercise's are asked for."""
    if not _latest or _latest[0].exercise is not exercise:
        _latest[:] = [Imitations(exercise)]
    return _latest[0]
