"""stacking.repair: the article's encoder layer, mended."""

from __future__ import annotations

from course.checking.exercise import Exercise
from course.content.stacking.exercises.encoder_layer import trials as layer_trials

EXERCISE = Exercise(
    id="stacking.repair",
    signature=layer_trials.SIGNATURE,
    minutes=25,
    difficulty=3,
    cases=layer_trials.cases,
    harness=layer_trials.harness,
    finds=layer_trials.finds,
    random=True,
    results=layer_trials.RESULTS,
    axes=(("B", "S", "D"),),
)
