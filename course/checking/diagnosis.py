"""Which listed mistake, or pair of mistakes, gives just what the submission gave."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from course import exercises
from course.checking import running
from course.checking.agreeing import Difference, alike, close, difference
from course.checking.probes import Probe, probes
from course.checking.running import Outcome
from course.exercises.model import Exercise, Mistake


@dataclass
class Trial:
    """One probe with what the reference and the submission gave, and how they differ."""

    probe: Probe
    expected: Outcome
    actual: Outcome
    difference: Difference | None

    @property
    def failed(self) -> bool:
        """Whether the submission broke something here."""
        return self.difference is not None or bool(self.actual.faults)


@functools.lru_cache(maxsize=64)
def references(exercise_id: str, seed: int = 0) -> tuple[tuple[Probe, Outcome], ...]:
    """All probes of an exercise with the reference's outcomes; those it can't do itself are left out."""
    exercise = exercises.get(exercise_id)
    model = exercise.model()
    found = []
    for probe in probes(exercise, seed):
        outcome = running.reference(model, probe)
        if outcome.error is None or probe.case.raises is not None:
            found.append((probe, outcome))
    return tuple(found)


def plain_probes(exercise: Exercise, seed: int) -> list[Probe]:
    """The cases as they are, in float64 and float32."""
    return [probe for probe in probes(exercise, seed) if probe.mode == "plain" and not probe.half]


def judged(probe: Probe, expected: Outcome, actual: Outcome) -> Trial:
    """A trial, forgiving what the catalogue forgives."""
    if probe.half and actual.error is not None and "not implemented for" in str(actual.error):
        return Trial(
            probe, expected, expected, None
        )  # this device lacks the operation for this dtype
    return Trial(probe, expected, actual, difference(probe, expected, actual))


@functools.lru_cache(maxsize=4096)
def mistaken_outcomes(
    exercise_id: str, mistakes: tuple[str, ...], seed: int = 0
) -> tuple[Outcome, ...] | None:
    """What the model solution with these mistakes gives on every probe; None where they don't combine."""
    exercise = exercises.get(exercise_id)
    for order in itertools.permutations(mistakes):
        try:
            function = exercise.mistaken(*order)
        except (ValueError, SyntaxError):
            continue
        return tuple(running.run(function, probe) for probe, _ in references(exercise_id, seed))
    return None


def explain(exercise: Exercise, trials: list[Trial], seed: int = 0) -> tuple[Mistake, ...]:
    """The one mistake, or the one pair, that fits all trials; empty where none does."""
    if any(trial.actual.timed_out for trial in trials):
        return ()
    for combination in _combinations(exercise):
        outcomes = mistaken_outcomes(
            exercise.id, tuple(mistake.id for mistake in combination), seed
        )
        if outcomes is not None and _fits(trials, outcomes):
            return combination
    return ()


def _combinations(exercise: Exercise) -> Iterator[tuple[Mistake, ...]]:
    yield from ((mistake,) for mistake in exercise.mistakes)
    yield from itertools.combinations(exercise.mistakes, 2)


def _fits(trials: list[Trial], outcomes: tuple[Outcome, ...]) -> bool:
    """Whether a mistake's outcomes are the submission's, on every probe, and the mistake shows."""
    shows = False
    always = all(trial.actual.error is not None for trial in trials if trial.probe.mode == "plain")
    for trial, outcome in zip(trials, outcomes, strict=True):
        differs = difference(trial.probe, trial.expected, outcome) is not None or bool(
            outcome.faults
        )
        if trial.probe.half:
            # Rounding differs from one way of writing to another: only whether it is right counts.
            continue
        if (
            not alike(trial.probe, outcome, trial.actual)
            or outcome.fault_ids != trial.actual.fault_ids
        ):
            return False
        if always and outcome.error is not None and not _same_words(outcome, trial.actual):
            return False  # errors everywhere tell a mistake only when they say the same
        shows = shows or differs
    return shows or _only_in_half(trials, outcomes)


def _same_words(one: Outcome, other: Outcome) -> bool:
    words = [re.sub(r"[0-9]+", "#", str(outcome.error)) for outcome in (one, other)]
    return words[0] == words[1]


def _only_in_half(trials: list[Trial], outcomes: tuple[Outcome, ...]) -> bool:
    """For mistakes that show in half precision alone: wrong in the same probes."""
    wrong = [
        (trial.failed, difference(trial.probe, trial.expected, outcome) is not None)
        for trial, outcome in zip(trials, outcomes, strict=True)
        if trial.probe.half
    ]
    return any(mine for mine, _ in wrong) and all(mine == theirs for mine, theirs in wrong)


def nearest(exercise: Exercise, trials: list[Trial], seed: int = 0) -> tuple[Mistake, float] | None:
    """The mistake that explains the largest part of the failed float64 trials, at least half of them."""
    failed = [
        index
        for index, trial in enumerate(trials)
        if trial.failed
        and trial.difference is not None
        and trial.probe.mode in ("plain", "strided")
        and not trial.probe.half
    ]
    best: tuple[Mistake, float] | None = None
    for mistake in exercise.mistakes if failed else ():
        outcomes = mistaken_outcomes(exercise.id, (mistake.id,), seed)
        if outcomes is None:
            continue
        hits = sum(
            trials[i].actual.error is None and alike(trials[i].probe, outcomes[i], trials[i].actual)
            for i in failed
        )
        share = hits / len(failed)
        if share >= 0.5 and (best is None or share > best[1]):
            best = (mistake, share)
    return best


__all__ = ["Trial", "close", "explain", "judged", "mistaken_outcomes", "nearest", "references"]
