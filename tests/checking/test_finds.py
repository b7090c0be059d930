"""What an exercise's own search says is said of wrong answers alone."""

import pytest
import torch
from torch import Tensor

from course.checking import checks
from course.checking.exercise import Exercise
from course.checking.explain import findings
from course.content import exercises
from course.sandbox import guards

SEARCHED = [
    exercise
    for exercise in map(exercises.get, exercises.ids())
    if exercise.finds is not None and not exercise.is_class  # a layer's search starts from a fault
]


@pytest.mark.parametrize("exercise", SEARCHED, ids=lambda exercise: exercise.id)
def test_a_right_answer_is_told_nothing(exercise: Exercise) -> None:
    right = exercises.right_answers(exercise.id)
    cases = [case for case in exercise.cases(0) if case.raises is None]
    assert exercise.finds is not None
    for answer in (exercise.model(), *right):
        with guards.apart():
            assert exercise.finds(answer, cases) == [], answer.__name__


@pytest.mark.parametrize("exercise", SEARCHED, ids=lambda exercise: exercise.id)
def test_something_is_told_of_some_listed_mistake(exercise: Exercise) -> None:
    """A search that has gone silent, as by an error that the checker hides, would not be missed."""
    cases = [case for case in exercise.cases(0) if case.raises is None]
    assert exercise.finds is not None
    told: list[str] = []
    for mistake in exercise.mistakes:
        with guards.apart(), guards.quiet():
            try:
                told += exercise.finds(exercise.mistaken(mistake), cases)
            except Exception:  # a mistake may raise on any input
                continue
    assert told


def test_what_an_answer_replaces_in_a_search_is_put_back() -> None:
    calls = 0

    def blind(x: Tensor, dim: int) -> Tensor:
        nonlocal calls
        calls += 1
        torch.allclose = lambda *args, **more: True
        return x.softmax(dim) + 0.1

    before, exercise = torch.allclose, exercises.get("attention.softmax")
    with guards.apart():
        trials = checks.tried(exercise, blind, seed=0) or []
        tried = calls
        findings._of_its_own(exercise, blind, [trial for trial in trials if trial.failed])
    assert calls > tried, "the search did not run"
    assert torch.allclose is before
