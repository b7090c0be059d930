"""Which listed mistake, or pair of mistakes, gives just what the submission gave."""

from __future__ import annotations

import functools
import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from course.checking.exercise import Exercise, Mistake
from course.checking.explain.agreeing import Difference, _leaves, alike, difference, steady
from course.checking.explain.imitation import Imitation, imitations
from course.checking.trials import running
from course.checking.trials.probes import Probe, probes
from course.checking.trials.running import Outcome
from course.learner import catalogue
from course.sandbox import guards

PAIR_SECONDS = 3.0  # of computing, from the first trial to the end of the search for mistakes
NEAREST_SECONDS = 0.5  # ... that are left for the nearest mistake in any case
PAIRS = 0.7  # the share of it until which pairs are looked for
PAIRS_THAT_MEDDLE = 0.4  # ... such as are unlikely
PAIRS_OF_THE_BROKEN = 0.15  # ... where nothing comes but errors, or wrong types
SMALL = 0.005  # seconds of computing: probes that take less are equally cheap


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


class Budget:
    """The computing time that the search for mistakes may take, counted from a check's first trial."""

    def __init__(self) -> None:
        self._since = time.process_time()

    def used(self) -> float:
        """The share of it that has been used; above 1, the search stops."""
        return (time.process_time() - self._since) / max(PAIR_SECONDS, 1e-9)


def explain(
    exercise: Exercise, trials: list[Trial], budget: Budget | None = None
) -> tuple[Mistake, ...]:
    """The one mistake, or the one pair, that fits all trials; empty where none does."""
    if any(trial.actual.timed_out for trial in trials):
        return ()
    budget = budget or Budget()
    order, known = _order(trials), imitations(exercise)
    partly: list[Mistake] = []  # what explains all but half precision
    pairs = _likely_pairs(exercise, trials, order, budget)
    for mistakes in (exercise.mistakes, exercise.inherited, pairs):
        for made in mistakes:
            combination = made if isinstance(made, tuple) else (made,)
            imitation = known.of(*combination)
            if imitation is None or not _fits(trials, order, imitation, not combination[0].within):
                continue
            if not _left_over(trials, imitation):
                return combination
            partly.extend(combination[:1] if len(combination) == 1 else ())
        if partly:
            return _completed(exercise, trials, order, partly, budget) or (partly[0],)
    return ()


def _completed(
    exercise: Exercise,
    trials: list[Trial],
    order: list[int],
    partly: list[Mistake],
    budget: Budget,
) -> tuple[Mistake, ...]:
    """A mistake that explains full precision, with another that explains what is left in half."""
    half = [trial for trial in trials if trial.probe.half]
    for one, other in itertools.product(partly, exercise.mistakes):
        if budget.used() > PAIRS:
            break
        imitation = imitations(exercise).of(one, other) if other not in partly else None
        if (
            imitation is not None
            and _fits(trials, order, imitation, True)
            and all(t.failed == imitation.differs(t.probe, t.expected) for t in half)
        ):
            return one, other
    return ()


def unexplained(exercise: Exercise, trials: list[Trial], found: tuple[Mistake, ...]) -> list[Trial]:
    """The failed trials, all in half precision, that the mistakes found don't explain."""
    imitation = imitations(exercise).of(*found) if found else None
    return [] if imitation is None else _left_over(trials, imitation)


def _left_over(trials: list[Trial], imitation: Imitation) -> list[Trial]:
    """What fails in half precision, where the imitation is right."""
    return [
        trial
        for trial in trials
        if trial.probe.half and trial.failed and not imitation.differs(trial.probe, trial.expected)
    ]


def _likely_pairs(
    exercise: Exercise, trials: list[Trial], order: list[int], budget: Budget
) -> Iterator[tuple[Mistake, Mistake]]:
    """The pairs of mistakes, the likeliest first, until the budget's share for them is used up.

    A pair whose mistakes, each by itself, do nothing on an input on which the submission is wrong, or
    something on one on which it is right, explains it only where they meddle with one another.
    """
    if budget.used() > PAIRS:
        return
    traits = [_traits(exercise, mistake, trials, order) for mistake in exercise.mistakes]
    pairs = itertools.combinations(range(len(traits)), 2)
    ranked = sorted((_unlikely(traits[i], traits[j]), i, j) for i, j in pairs)
    meddling = PAIRS_OF_THE_BROKEN if _broken(trials) else PAIRS_THAT_MEDDLE
    for unlikely, i, j in ranked:
        if budget.used() > (meddling if unlikely else PAIRS):
            return
        yield exercise.mistakes[i], exercise.mistakes[j]


@dataclass(frozen=True)
class _Trait:
    """A mistake beside the submission on one probe."""

    wanted: str | None  # how the submission leaves the reference
    kind: str | None  # how the mistake does
    same: bool  # it gives what the submission gives


def _traits(
    exercise: Exercise, mistake: Mistake, trials: list[Trial], order: list[int]
) -> list[_Trait] | None:
    """A mistake on a few probes, on some of which the submission is wrong, and on some right."""
    imitation = imitations(exercise).of(mistake)
    if imitation is None:
        return None
    found = []
    for index in _telling(trials, order):
        trial = trials[index]
        found.append(
            _Trait(
                _kind(trial.difference, trial.actual),
                _kind(*imitation.leaves(trial.probe, trial.expected)),
                imitation.gives(trial.probe, trial.actual),
            )
        )
    return found


def _kind(found: Difference | None, outcome: Outcome) -> str | None:
    """How an outcome leaves the reference, in a word: errors by their type."""
    if outcome.error is not None and found is not None:
        return type(outcome.error).__name__
    return found.kind if found is not None else "fault" if outcome.faults else None


def _telling(trials: list[Trial], order: list[int]) -> list[int]:
    """A few cheap probes by which most pairs are ruled out: of different cases, wrong ones and right ones."""
    failed: list[int] = []
    right: list[int] = []
    cases: set[int] = set()
    for index in order:
        if id(trials[index].probe.case) not in cases:
            cases.add(id(trials[index].probe.case))
            (failed if trials[index].failed else right).append(index)
    return failed[:2] + right[:1]


def _unlikely(one: list[_Trait] | None, other: list[_Trait] | None) -> int:
    """On how many probes two mistakes give the submission's result only if they meddle with one another."""
    if one is None or other is None:
        return 99
    return sum(not _plausible(a, b) for a, b in zip(one, other, strict=True))


def _plausible(a: _Trait, b: _Trait) -> bool:
    if a.wanted is None:
        return a.kind is None and b.kind is None
    if a.kind is None or b.kind is None:
        return a.same or b.same
    return a.wanted in (a.kind, b.kind)


def _broken(trials: list[Trial]) -> bool:
    """Whether every plain trial ends in an error, or in a wrong type: then few pairs are worth a try."""
    plain = [t for t in trials if t.probe.mode == "plain" and t.expected.error is None]
    kinds = {trial.difference.kind if trial.difference else "" for trial in plain}
    return bool(kinds) and (kinds <= {"error"} or kinds <= {"type", "count"})


def _order(trials: list[Trial]) -> list[int]:
    """The probes that tell most first, small ones before large: most mistakes are ruled out by one or two."""
    full = [index for index, trial in enumerate(trials) if not trial.probe.half]
    return sorted(
        full,
        key=lambda i: (
            not trials[i].failed,
            trials[i].probe.mode != "plain",
            int(trials[i].expected.seconds / SMALL),
        ),
    )


def _fits(trials: list[Trial], order: list[int], imitation: Imitation, own: bool) -> bool:
    """Whether a mistake's outcomes are the submission's, on every probe, and the mistake shows.

    In half precision rounding differs from one way of writing to another: there it only counts
    whether a result is right, and only when nothing shows elsewhere.
    """
    always = all(trial.actual.error is not None for trial in trials if trial.probe.mode == "plain")
    for index in order:
        trial = trials[index]
        if not imitation.gives(trial.probe, trial.actual):
            return False
        outcome = imitation.on(trial.probe)
        if always and outcome.error is not None and not _same_words(outcome, trial.actual):
            return False  # errors everywhere tell a mistake only when they say the same
    if any(imitation.differs(trials[i].probe, trials[i].expected) for i in order):
        return True
    if not own:
        return False  # a part's mistake may be none here: its effect must be seen in full precision
    half = [trial for trial in trials if trial.probe.half]
    shows = any(trial.failed for trial in half)
    return shows and all(t.failed == imitation.differs(t.probe, t.expected) for t in half)


def _same_words(one: Outcome, other: Outcome) -> bool:
    words = [re.sub(r"[0-9]+", "#", guards.safe_text(outcome.error)) for outcome in (one, other)]
    return words[0] == words[1]


def _hits(failed: list[Trial], imitation: Imitation, wanted: int) -> int:
    """On how many failed trials an imitation gives the same; fewer than wanted, when it can't be more."""
    hits = 0
    for tried, trial in enumerate(failed):
        if hits + len(failed) - tried < wanted:
            break
        hits += alike(trial.probe, imitation.on(trial.probe), trial.actual)
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


def _evidence(failed: list[Trial]) -> int:
    """On how many of the failed trials a mistake must agree; a bare number agrees by chance now and then."""
    bare = all(isinstance(trial.expected.value, int) for trial in failed)
    return -(-3 * len(failed) // 4) if bare else (len(failed) + 1) // 2


def nearest(
    exercise: Exercise, trials: list[Trial], budget: Budget | None = None
) -> Mistake | None:
    """A mistake that explains at least half of the failed trials and shows in no other."""
    usual = [trials[i] for i in _order(trials) if trials[i].probe.mode in ("plain", "strided")]
    exact = [trial for trial in usual if trial.probe.dtype is torch.float64]
    usual = exact if sum(trial.failed for trial in exact) > 1 else usual
    plain = [trial for trial in usual if trial.probe.mode == "plain"]
    failed = plain if sum(trial.failed for trial in plain) > 1 else usual
    failed = [trial for trial in failed if trial.difference and not trial.actual.error]
    failed = [trial for trial in failed if not _all_broken(trial.actual.value)]
    best: tuple[int, Mistake] | None = None
    started = time.process_time()
    for mistake in exercise.mistakes if len(failed) > 1 else ():
        late = time.process_time() - started > NEAREST_SECONDS
        if late and budget is not None and budget.used() > 1.0:
            break
        imitation = imitations(exercise).of(mistake)
        if imitation is None:
            continue
        wanted = max(_evidence(failed), best[0] + 1 if best else 0)
        hits = _hits(failed, imitation, wanted)
        if hits < wanted:
            continue
        if not any(imitation.differs(t.probe, t.expected) for t in usual if not t.failed):
            best = (hits, mistake)
    return best[1] if best else None
