"""Which listed mistake, or pair of mistakes, gives just what the submission gave."""

from __future__ import annotations

import functools
import itertools
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from course.checking.exercise import Exercise, Mistake
from course.checking.explain.agreeing import Difference, _leaves, alike, difference, steady
from course.checking.trials import running
from course.checking.trials.probes import Probe, probes
from course.checking.trials.running import Outcome
from course.learner import catalogue
from course.sandbox import guards

PAIR_SECONDS = 20.0  # of computing, for pairs of mistakes; layers and random results are slow


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


_known: set[str] = set()


def known(exercise_id: str) -> bool:
    """Whether the references of an exercise have been computed in this process."""
    return exercise_id in _known


@functools.lru_cache(maxsize=64)
def references(exercise_id: str, seed: int = 0) -> tuple[tuple[Probe, Outcome], ...]:
    """All probes of an exercise with the reference's outcomes; those it can't do itself are left out."""
    exercise = catalogue.exercise(exercise_id)
    model = exercise.model()
    found = []
    for probe in probes(exercise, seed):
        outcome = running.reference(model, probe)
        if outcome.error is None and probe.half and not steady(probe, outcome):
            continue  # rounding alone moves it so far that a right answer might be turned down
        if outcome.error is None or probe.case.raises is not None:
            found.append((probe, outcome))
        elif not probe.half:  # half precision may lack an operation here; nothing else may fail
            raise RuntimeError(
                f"the model solution of {exercise_id} fails on {probe}"
            ) from outcome.error
    _known.add(exercise_id)
    return tuple(found)


def plain_probes(exercise: Exercise, seed: int) -> list[Probe]:
    """The cases as they are, in float64 and float32."""
    return [probe for probe in probes(exercise, seed) if probe.mode == "plain" and not probe.half]


def judged(probe: Probe, expected: Outcome, actual: Outcome) -> Trial:
    """A trial, forgiving what the catalogue forgives."""
    lacking = actual.error is not None and "not implemented for" in guards.safe_text(actual.error)
    if probe.half and lacking and not running.raises(actual.where):
        return Trial(
            probe, expected, expected, None
        )  # this device lacks the operation for this dtype
    return Trial(probe, expected, actual, difference(probe, expected, actual))


def functions(exercise: Exercise, *mistakes: Mistake) -> Iterator[Callable[..., Any]]:
    """The model solution with these mistakes made in it; nothing where they don't combine."""
    for order in itertools.permutations(mistakes):
        try:
            yield exercise.mistaken(*order)
        except (ValueError, SyntaxError):
            continue
        return


class _Imitation:
    """What the model solution with some mistakes gives, found out probe by probe."""

    def __init__(self, function: Callable[..., Any], trials: list[Trial]) -> None:
        self._function, self._trials = function, trials
        self._outcomes: dict[int, Outcome] = {}

    def __getitem__(self, index: int) -> Outcome:
        if index not in self._outcomes:
            self._outcomes[index] = running.run(
                self._function, self._trials[index].probe, ours=True
            )
        return self._outcomes[index]

    def differs(self, index: int) -> bool:
        """Whether it leaves the reference on this probe."""
        trial, outcome = self._trials[index], self[index]
        wrong = difference(trial.probe, trial.expected, outcome) is not None
        return wrong or bool(outcome.faults)


def explain(exercise: Exercise, trials: list[Trial]) -> tuple[Mistake, ...]:
    """The one mistake, or the one pair, that fits all trials; empty where none does."""
    if any(trial.actual.timed_out for trial in trials):
        return ()
    order = _order(trials)
    pairs = _for_a_while(itertools.combinations(exercise.mistakes, 2))
    pairs = pairs if any(map(_tells, trials)) else iter(())
    partly: list[Mistake] = []  # what explains all but half precision
    for mistakes in (exercise.mistakes, exercise.inherited, pairs):
        for made in mistakes:
            combination = made if isinstance(made, tuple) else (made,)
            for function in functions(exercise, *combination):
                imitation = _Imitation(function, trials)
                if not _fits(trials, order, imitation, not combination[0].within):
                    continue
                if not _left_over(trials, imitation):
                    return combination
                partly.extend(combination[:1] if len(combination) == 1 else ())
        if partly:
            return _completed(exercise, trials, order, partly) or (partly[0],)
    return ()


def _completed(
    exercise: Exercise, trials: list[Trial], order: list[int], partly: list[Mistake]
) -> tuple[Mistake, ...]:
    """A mistake that explains full precision, with another that explains what is left in half."""
    half = [index for index, trial in enumerate(trials) if trial.probe.half]
    for one, other in _for_a_while(itertools.product(partly, exercise.mistakes)):
        for function in functions(exercise, one, other) if other not in partly else ():
            imitation = _Imitation(function, trials)
            if _fits(trials, order, imitation, True) and all(
                trials[i].failed == imitation.differs(i) for i in half
            ):
                return one, other
    return ()


def unexplained(exercise: Exercise, trials: list[Trial], found: tuple[Mistake, ...]) -> list[Trial]:
    """The failed trials, all in half precision, that the mistakes found don't explain."""
    for function in functions(exercise, *found) if found else ():
        return _left_over(trials, _Imitation(function, trials))
    return []


def _left_over(trials: list[Trial], imitation: _Imitation) -> list[Trial]:
    """What fails in half precision, where the imitation is right."""
    return [
        trial
        for i, trial in enumerate(trials)
        if trial.probe.half and trial.failed and not imitation.differs(i)
    ]


def _for_a_while(
    pairs: Iterable[tuple[Mistake, Mistake]],
) -> Iterator[tuple[Mistake, Mistake]]:
    """The pairs, until so much has been computed that a learner would wait too long."""
    started = time.process_time()
    for pair in pairs:
        if time.process_time() - started > PAIR_SECONDS:
            return
        yield pair


def _tells(trial: Trial) -> bool:
    """Whether anything came that a pair of mistakes could have made."""
    return trial.actual.error is not None or trial.actual.value is not None


def _order(trials: list[Trial]) -> list[int]:
    """The probes that tell most first: most mistakes are ruled out by one or two of them."""
    full = [index for index, trial in enumerate(trials) if not trial.probe.half]
    return sorted(full, key=lambda i: (not trials[i].failed, trials[i].probe.mode != "plain"))


def _fits(trials: list[Trial], order: list[int], imitation: _Imitation, own: bool) -> bool:
    """Whether a mistake's outcomes are the submission's, on every probe, and the mistake shows.

    In half precision rounding differs from one way of writing to another: there it only counts
    whether a result is right, and only when nothing shows elsewhere.
    """
    always = all(trial.actual.error is not None for trial in trials if trial.probe.mode == "plain")
    for index in order:
        trial, outcome = trials[index], imitation[index]
        if not alike(trial.probe, outcome, trial.actual):
            return False
        if outcome.fault_ids != trial.actual.fault_ids:
            return False
        if always and outcome.error is not None and not _same_words(outcome, trial.actual):
            return False  # errors everywhere tell a mistake only when they say the same
    if any(imitation.differs(index) for index in order):
        return True
    if not own:
        return False  # a part's mistake may be none here: its effect must be seen in full precision
    half = [index for index, trial in enumerate(trials) if trial.probe.half]
    shows = any(trials[index].failed for index in half)
    return shows and all(trials[i].failed == imitation.differs(i) for i in half)


def _same_words(one: Outcome, other: Outcome) -> bool:
    words = [re.sub(r"[0-9]+", "#", guards.safe_text(outcome.error)) for outcome in (one, other)]
    return words[0] == words[1]


def _hits(trials: list[Trial], failed: list[int], imitation: _Imitation, wanted: int) -> int:
    """On how many failed trials an imitation gives the same; fewer than wanted, when it can't be more."""
    hits = 0
    for tried, i in enumerate(failed):
        if hits + len(failed) - tried < wanted:
            break
        hits += alike(trials[i].probe, imitation[i], trials[i].actual)
    return hits


def _all_broken(value: Any) -> bool:
    """Whether nothing but NaN, inf and 0 is left: many mistakes end so, and none is known by it."""
    floats = [x for x in _leaves(value) if _readable(x) and x.is_floating_point()]
    return any(not bool((x.isfinite() & (x != 0)).any()) and bool(x.isnan().any()) for x in floats)


def _readable(value: Any) -> bool:
    """Whether this is a tensor with numbers in the usual layout: neither sparse, nested nor on "meta"."""
    if not isinstance(value, torch.Tensor) or value.is_meta or value.is_quantized:
        return False
    return not value.is_nested and value.layout is torch.strided


def _evidence(trials: list[Trial], failed: list[int]) -> int:
    """On how many of the failed trials a mistake must agree; a bare number agrees by chance now and then."""
    bare = all(isinstance(trials[i].expected.value, int) for i in failed)
    return -(-3 * len(failed) // 4) if bare else (len(failed) + 1) // 2


def nearest(exercise: Exercise, trials: list[Trial]) -> Mistake | None:
    """A mistake that explains at least half of the failed trials and shows in no other."""
    usual = [i for i in _order(trials) if trials[i].probe.mode in ("plain", "strided")]
    exact = [i for i in usual if trials[i].probe.dtype is torch.float64]
    usual = exact if sum(trials[i].failed for i in exact) > 1 else usual
    failed = [i for i in usual if trials[i].difference is not None and not trials[i].actual.error]
    failed = [i for i in failed if not _all_broken(trials[i].actual.value)]
    best: tuple[int, Mistake] | None = None
    for mistake in exercise.mistakes if len(failed) > 1 else ():
        for function in functions(exercise, mistake):
            imitation = _Imitation(function, trials)
            wanted = max(_evidence(trials, failed), best[0] + 1 if best else 0)
            hits = _hits(trials, failed, imitation, wanted)
            if hits < wanted:
                continue
            if not any(imitation.differs(i) for i in usual if not trials[i].failed):
                best = (hits, mistake)
    return best[1] if best else None
