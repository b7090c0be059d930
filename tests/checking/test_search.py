"""The search for mistakes: what is computed once, what is tried first, and when it stops."""

from __future__ import annotations

import subprocess
import sys

import pytest

from course.checking import checks
from course.checking.exercise import build
from course.checking.explain import diagnosis, imitation
from course.checking.explain.diagnosis import Trial
from course.content import exercises
from course.sandbox import guards

SOFTMAX = "attention.softmax"
UNLISTED = "def softmax(x, dim): return torch.softmax(x, dim).nan_to_num(0.0) * 1.01"


def tried(source: str) -> list[Trial]:
    with guards.apart():
        trials = checks.tried(exercises.get(SOFTMAX), build(SOFTMAX, source), 0)
    assert trials is not None
    return trials


def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The mistakes of each imitation that is made from here on."""
    made: list[tuple[str, ...]] = []
    usual = imitation.functions

    def counted(exercise, *mistakes):
        made.append(tuple(mistake.id for mistake in mistakes))
        return usual(exercise, *mistakes)

    monkeypatch.setattr(imitation, "functions", counted)
    monkeypatch.setattr(imitation, "_latest", [])
    return made


def test_each_mistake_is_made_once_for_all_questions(monkeypatch):
    made = calls(monkeypatch)
    exercise, trials = exercises.get(SOFTMAX), tried(UNLISTED)
    with guards.apart():
        assert diagnosis.explain(exercise, trials) == ()
        diagnosis.nearest(exercise, trials)
    alone = [mistakes for mistakes in made if len(mistakes) == 1]
    assert len(alone) == len(set(alone))
    assert {mistakes[0] for mistakes in alone} == {mistake.id for mistake in exercise.mistakes}


def test_a_mistake_runs_on_a_probe_once(monkeypatch):
    exercise, runs = exercises.get(SOFTMAX), []
    probe, expected = diagnosis.references(SOFTMAX)[0]
    usual = imitation.running.run
    monkeypatch.setattr(
        imitation.running, "run", lambda *a, **more: runs.append(a) or usual(*a, **more)
    )
    one = imitation.Imitation(exercise.mistaken(exercise.mistakes[0]))
    assert one.on(probe) is one.on(probe)
    one.differs(probe, expected)
    assert len(runs) == 1


def test_without_time_single_mistakes_are_still_looked_for(monkeypatch):
    made = calls(monkeypatch)
    monkeypatch.setattr(diagnosis, "PAIR_SECONDS", 0.0)
    exercise = exercises.get(SOFTMAX)
    one, two = exercise.mistakes[:2]
    trials = tried(exercise.mistaken_source(two))
    with guards.apart():
        assert diagnosis.explain(exercise, trials) == (two,)
        diagnosis.explain(exercise, tried(UNLISTED))
    assert (one.id,) in made
    assert not [mistakes for mistakes in made if len(mistakes) > 1]


def test_likely_pairs_come_first():
    """A mistake that gives nothing like the answer where the other gives nothing at all comes late."""
    trait = diagnosis._Trait
    nothing, same = trait("values", None, False), trait("values", "values", True)
    other, raises = trait("values", "values", False), trait("values", "ValueError", False)
    unseen, seen = trait(None, None, True), trait(None, "values", False)
    assert diagnosis._unlikely([nothing], [same]) == 0
    assert diagnosis._unlikely([other], [other]) == 0
    assert diagnosis._unlikely([nothing], [other]) == 1
    assert diagnosis._unlikely([raises], [raises]) == 1
    assert diagnosis._unlikely([same, unseen], [nothing, seen]) == 1
    assert diagnosis._unlikely(None, [same]) > 1


def test_a_failed_heavy_case_is_left_out_of_the_report():
    exercise = exercises.get("attention.causal_mask")
    answer = build(
        exercise.id, "def causal_mask(length): return torch.ones(length, length).bool().tril(-2)"
    )
    with guards.apart():
        trials = checks.tried(exercise, answer, 0)
    assert any(trial.failed and trial.probe.case.heavy for trial in trials)
    light = checks._light(trials)
    assert not any(trial.failed and trial.probe.case.heavy for trial in light)
    heavy = [trial for trial in trials if not trial.failed or trial.probe.case.heavy]
    assert checks._light(heavy) == heavy


def test_a_report_does_not_import_sympy():
    """The child is a fork: what it imports, it imports for each check again."""
    code = """
import sys, torch
from course.checking.explain import relations
before = set(sys.modules)
print(relations._furthest([relations.Pair(None, torch.zeros(2, 3), torch.arange(6.0).reshape(2, 3))]))
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="."
    )
    assert "the largest difference is at [1, 2]" in done.stdout
    assert "sympy" not in done.stdout
    assert "mpmath" not in done.stdout
