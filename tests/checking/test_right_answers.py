"""A right answer is never turned down, whatever its style."""

import pytest
import torch

from course.checking import checks
from course.checking.explain import diagnosis
from course.checking.trials import running
from course.content import exercises
from tests import sampled

RIGHT = {exercise_id: exercises.right_answers(exercise_id) for exercise_id in exercises.ids()}
ANSWERS = [
    pytest.param(
        exercise_id,
        answer,
        id=answer.__name__,
        # The first of each third function's answers is enough for daily work.
        marks=[pytest.mark.slow] * (number % 3 + place > 0 or exercises.get(exercise_id).is_class),
    )
    for number, (exercise_id, answers) in enumerate(RIGHT.items())
    for place, answer in enumerate(answers)
]
# More inputs than any learner meets; the nightly run takes 200.
SEEDS = range(sampled.SEEDS)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_every_exercise_has_three_other_right_answers():
    assert set(RIGHT) == set(exercises.ids())
    assert all(len(answers) >= 3 for answers in RIGHT.values())


@pytest.mark.parametrize(("exercise_id", "answer"), ANSWERS)
def test_accepted_in_every_mode(exercise_id, answer):
    for seed in range(3 if sampled.NIGHT else 2 if answer is RIGHT[exercise_id][0] else 1):
        report = checks.judge(exercises.get(exercise_id), answer, seed)
        assert report.passed, report.message


@pytest.mark.slow
@pytest.mark.parametrize("exercise_id", RIGHT)
def test_accepted_over_many_seeds_in_float64_and_float32(exercise_id):
    """New inputs each time; the cases as they are, without the other modes."""
    exercise = exercises.get(exercise_id)
    model = exercise.model()
    whole = sampled.NIGHT or not exercise.is_class  # a layer's trials take a second
    for seed in SEEDS[:: 1 if sampled.NIGHT else 2] if whole else SEEDS[::8]:
        for probe in diagnosis.plain_probes(exercise, seed):
            expected = running.reference(model, probe)
            for answer in RIGHT[exercise_id][:3]:
                trial = diagnosis.judged(probe, expected, running.run(answer, probe, ours=True))
                assert not trial.failed, (seed, answer.__name__, probe, trial.difference)


@pytest.mark.parametrize("exercise_id", sampled.sampled(exercises.ids(), 3))
def test_the_model_solution_passes(exercise_id):
    exercise = exercises.get(exercise_id)
    for seed in range(5 if sampled.NIGHT else 2):
        report = checks.judge(exercise, exercise.model(), seed)
        assert report.passed, report.message
