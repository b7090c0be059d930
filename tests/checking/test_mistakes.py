"""Every listed mistake has an effect that can be measured, is caught, and is named: it alone."""

import itertools
import random

import pytest
import torch

from course import exercises
from course.checking import agreeing, checks, diagnosis, running
from course.checking.agreeing import TOLERANCES

LISTED = [(e, m) for e in map(exercises.get, exercises.ids()) for m in e.mistakes]
NAMES = [f"{exercise.name}-{mistake.id}" for exercise, mistake in LISTED]


def test_every_exercise_is_complete():
    for exercise_id in exercises.ids():
        exercise = exercises.get(exercise_id)
        assert len(exercise.mistakes) >= 8, exercise_id
        assert len({mistake.id for mistake in exercise.mistakes}) == len(exercise.mistakes)
        assert len(exercise.hints) == 4
        assert all(hint.strip() for hint in exercise.hints)
        assert exercise.difficulty in (1, 2, 3)
        assert exercise.minutes > 0
        for mistake in exercise.mistakes:
            assert mistake.says.strip().endswith("."), mistake.id
            assert mistake.asks.strip().endswith("?"), mistake.id


@pytest.mark.parametrize(("exercise", "mistake"), LISTED, ids=NAMES)
def test_caught_and_named(exercise, mistake):
    report = checks.judge(exercise, exercise.mistaken(mistake))
    assert report.status == "failed"
    assert report.mistakes == (mistake.id,)
    assert mistake.says in report.message
    assert mistake.asks in report.message


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "mistake"), LISTED, ids=NAMES)
def test_named_on_other_inputs_too(exercise, mistake):
    report = checks.judge(exercise, exercise.mistaken(mistake), seed=17)
    assert report.mistakes == (mistake.id,)


@pytest.mark.parametrize(("exercise", "mistake"), LISTED, ids=NAMES)
def test_moves_the_result_by_a_hundred_tolerances_or_breaks_a_property(exercise, mistake):
    function = exercise.mistaken(mistake)
    for probe, expected in diagnosis.references(exercise.id):
        outcome = running.run(function, probe)
        trial = diagnosis.judged(probe, expected, outcome)
        if outcome.faults or (trial.difference and trial.difference.kind != "values"):
            return  # a named property: error, shape, type, dtype, inputs, device
        if trial.difference is None:
            continue
        if probe.mode == "gradient":
            return  # a named property: the gradient
        if not isinstance(trial.difference.expected, torch.Tensor):
            return  # another number, text, list or dict than asked
        if probe.case.summary is not None:
            if probe.half or not _clear(probe, expected, outcome):
                continue
            return
        want = torch.as_tensor(trial.difference.expected).double()
        came = torch.as_tensor(trial.difference.actual).double()
        if not torch.equal(want.isfinite(), came.isfinite()):
            return  # NaN or inf where there should be a number
        if probe.half:
            continue
        rtol, atol = TOLERANCES[probe.dtype]
        far = (came - want).abs() / (atol + rtol * want.abs())
        if far.nan_to_num(0.0).max() >= 100:
            return
    pytest.fail("no trial shows this mistake clearly")


def _clear(probe, expected, outcome):
    """Whether a statistic is more than three times its tolerance away."""
    allowed = probe.case.tolerance
    gaps = agreeing.apart(probe, expected, outcome)
    return any(
        not abs(want - came) <= 3 * (allowed if isinstance(allowed, float) else allowed[name])
        for name, (want, came) in gaps.items()
    )


@pytest.mark.slow
@pytest.mark.parametrize("exercise_id", exercises.ids())
def test_pairs_are_recognised(exercise_id):
    """Of the pairs that combine, a sample: named as a pair, or as the one mistake that hides the other.

    Two mistakes can amount to another listed one, or cancel; what is named must then give the very
    same results. A pair whose effect is nothing at all is no mistake.
    """
    exercise = exercises.get(exercise_id)
    pairs = list(itertools.combinations(exercise.mistakes, 2))
    named_as_pairs = 0
    for one, two in random.Random(0).sample(pairs, min(60, len(pairs))):
        function = next(diagnosis.functions(exercise, one, two), None)
        if function is None:
            continue
        report = checks.judge(exercise, function)
        if report.passed:
            continue
        assert report.mistakes, (one.id, two.id, report.message)
        named_as_pairs += report.mistakes in ((one.id, two.id), (two.id, one.id))
    assert named_as_pairs >= 1
