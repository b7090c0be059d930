"""Every listed mistake has an effect that can be measured, is caught, and is named: it alone."""

import ast
import builtins
import itertools
import random
import re

import pytest
import torch

from course import content
from course.checking import checks
from course.checking.explain import agreeing, diagnosis, imitation
from course.checking.explain.agreeing import TOLERANCES
from course.checking.explain.imitation import imitations
from course.content import exercises, manuscript
from course.sandbox import guards
from tests.sampled import NIGHT, by_day, sampled, thinned

LISTED = sampled(
    [
        pytest.param(e, m, id=f"{e.name}-{m.id}", marks=[pytest.mark.slow] * e.is_class)
        for e in map(exercises.get, exercises.ids())
        for m in thinned(e.mistakes, 2)  # each second one where all tests run
    ],
    every=21,  # is enough for daily work
)
NOUNS = {"a size above what there is"}


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


def test_a_circumstance_is_a_noun_that_fits_into_its_sentence():
    """Otherwise a report tells "it is right only with max_length is 0"."""
    clause = re.compile(
        r"^(?!.*\b(that|which|whose|where)\b.*)(?!.*\().*\b(is|are|has|have|counts)\b"
    )
    for exercise in map(exercises.get, exercises.ids()):
        for name in {tag for case in exercise.cases(0) for tag in case.tags}:
            assert not clause.match(name) or name in NOUNS, (exercise.id, name)


@pytest.mark.parametrize("chapter", content.chapters())
def test_a_mistake_uses_only_what_its_chapter_has(chapter):
    """In the notebook it would be a NameError, and not the mistake that is listed."""
    cells = [cell for cell in manuscript.read(chapter) if cell.kind == "code"]
    known = set(dir(builtins)).union(*(bound(ast.parse(cell.solved)) for cell in cells))
    for exercise in (exercises.get(cell.exercise) for cell in cells if cell.exercise):
        for mistake in exercise.mistakes:
            tree = ast.parse(exercise.mistaken_source(mistake))
            used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            assert used <= known | bound(tree), (exercise.id, mistake.id)


def bound(tree):
    """The names that a source binds anywhere: imported, defined, assigned, taken as arguments."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
    return names


@pytest.mark.parametrize(("exercise", "mistake"), LISTED)
def test_caught_named_and_clear(exercise, mistake):
    """Named from the same trials that show it: by 100 tolerances, or by a property that is broken."""
    trials = tried(exercise, mistake, seed=0)
    assert explained(exercise, trials) == (mistake,)
    assert any(map(shows_clearly, trials)), "no trial shows this mistake clearly"


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "mistake"), thinned(LISTED[1::3], 2))
def test_named_on_other_inputs_too(exercise, mistake):
    assert explained(exercise, tried(exercise, mistake, seed=17)) == (mistake,)


@pytest.mark.slow
@pytest.mark.parametrize("exercise_id", exercises.ids())
def test_the_report_says_and_asks(exercise_id):
    exercise = exercises.get(exercise_id)
    for mistake in by_day(exercise.mistakes[::8], 1):
        report = checks.judge(exercise, exercise.mistaken(mistake))
        assert report.status == "failed"
        assert report.mistakes == (mistake.id,)
        assert mistake.says in report.message
        assert mistake.asks in report.message


def tried(exercise, mistake, seed):
    """The trials of a mistake; by day those that the search for mistakes makes of it.

    These run once, and serve the search; test_the_report_says_and_asks tries mistakes as answers.
    """
    with guards.apart():
        if NIGHT:
            trials = checks.tried(exercise, exercise.mistaken(mistake), seed)
        else:
            imitation = imitations(exercise).of(mistake)
            trials = [
                diagnosis.judged(probe, expected, imitation.on(probe))
                for probe, expected in diagnosis.references(exercise.id, seed)
            ]
    assert any(trial.failed for trial in trials)
    return trials


def explained(exercise, trials):
    with guards.apart():
        return diagnosis.explain(exercise, trials)


def shows_clearly(trial):
    """Whether a trial moves the result by 100 tolerances, or breaks a named property."""
    found, probe = trial.difference, trial.probe
    if trial.actual.faults or (found is not None and found.kind != "values"):
        return True  # a named property: error, shape, type, dtype, inputs, device
    if found is None:
        return False
    if probe.mode == "gradient" or not isinstance(found.expected, torch.Tensor):
        return True  # the gradient; another number, text, list or dict than asked
    if probe.case.summary is not None:
        return not probe.half and _clear(probe, trial.expected, trial.actual)
    want, came = (torch.as_tensor(side).double() for side in (found.expected, found.actual))
    if not torch.equal(want.isfinite(), came.isfinite()):
        return True  # NaN or inf where there should be a number
    if probe.half:
        return False
    rtol, atol = TOLERANCES[probe.dtype]
    far = (came - want).abs() / (atol + rtol * want.abs())
    return bool(far.nan_to_num(0.0).max() >= 100)


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
def test_pairs_are_recognised(exercise_id, monkeypatch):
    """Of the pairs that combine, a sample: named as a pair, or as the one mistake that hides the other.

    Two mistakes can amount to another listed one, or cancel; what is named must then give the very
    same results. A pair whose effect is nothing at all is no mistake.
    """
    monkeypatch.setattr(diagnosis, "PAIR_SECONDS", 60.0)  # whether they are found, not how fast
    exercise = exercises.get(exercise_id)
    slow = exercise.is_class or exercise.random  # there the first few stand for all
    listed = exercise.mistakes[:4] if slow else exercise.mistakes
    pairs = list(itertools.combinations(listed, 2))
    named_as_pairs = 0
    for one, two in random.Random(0).sample(pairs, min(15, len(pairs))):
        function = next(imitation.functions(exercise, one, two), None)
        if function is None:
            continue
        report = checks.judge(exercise, function)
        if report.passed:
            continue
        assert report.mistakes, (one.id, two.id, report.message)
        named_as_pairs += report.mistakes in ((one.id, two.id), (two.id, one.id))
        if named_as_pairs == 2 and not NIGHT:
            break
    assert named_as_pairs >= 1
