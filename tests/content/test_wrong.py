"""Wrong answers that no mistake is: none passes, and each is told what is wrong."""

from dataclasses import replace

import pytest

from course.checking import checks
from course.checking.exercise import build
from course.checking.explain import diagnosis
from course.content import dev, exercises
from tests.sampled import sampled, thinned

WRONG = sampled(
    [
        pytest.param(exercise_id, answer, id=f"{exercise_id}-{answer.name}")
        for exercise_id in exercises.ids()
        for answer in thinned(dev.wrong_answers(exercise_id), 6)  # each sixth where all tests run
    ],
    every=11,
)


@pytest.fixture(autouse=True)
def no_search_stops_soon(monkeypatch):
    """On a slow machine too a pair of mistakes, or the nearest one, is what is expected."""
    monkeypatch.setattr(diagnosis, "PAIR_SECONDS", 60.0)
    monkeypatch.setattr(diagnosis, "NEAREST_SECONDS", 30.0)


@pytest.mark.parametrize(("exercise_id", "answer"), WRONG)
def test_it_fails_and_is_told_what_is_wrong(exercise_id, answer):
    assert dev.report_faults(exercise_id, answer) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "place", thinned(range(0, len(dev.wrong_answers("stacking.EncoderLayer")), 5), 3)
)
def test_a_wrong_layer_is_a_wrong_repair_too(place):
    layer = dev.wrong_answers("stacking.EncoderLayer")[place]
    source = layer.source.replace("EncoderLayer", "repair")
    assert dev.report_faults("stacking.repair", replace(layer, source=source)) == ""


@pytest.mark.parametrize("exercise_id", exercises.ids())
def test_what_edits_start_from_passes(exercise_id):
    """So that each answer fails by its edit alone."""
    start = dev.start(exercise_id)
    if start != exercises.get(exercise_id).model_source:
        report = checks.judge(exercises.get(exercise_id), build(exercise_id, start))
        assert report.passed, report.message
