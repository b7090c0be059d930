"""The stations of a walk: each step in one, in order, for every encoder."""

from __future__ import annotations

import pytest

from course.labs import ShapeTracer
from course.labs.shapes import journey
from course.labs.shapes.settings import Settings
from course.labs.shapes.steps import KINDS
from course.labs.shapes.trace import compute

WALKS = {
    "MiniLM": Settings(),
    "post-norm": Settings(encoder="fresh", layers=1),
    "pre-norm": Settings(encoder="fresh", layers=3, norm_first=True, second=""),
}


@pytest.mark.parametrize("settings", WALKS.values(), ids=WALKS)
def test_every_step_belongs_to_one_station(settings: Settings) -> None:
    trace = compute(settings)
    found = journey.stations(trace.steps)
    steps = [step for one in found for step in range(one.first, one.last + 1)]
    assert steps == list(range(len(trace.steps)))
    for one in found:
        assert len({trace.steps[step].layer for step in (one.first, one.last)}) == 1
        assert journey.says(trace.steps, one)


def test_every_kind_of_step_has_a_station() -> None:
    assert {kind for _, _, kinds in journey._STATIONS for kind in kinds} == set(KINDS)


def test_a_layer_is_drawn_in_the_order_of_its_norms() -> None:
    orders = []
    for norm_first in (False, True):
        trace = compute(Settings(encoder="fresh", layers=2, norm_first=norm_first))
        found = journey.stations(trace.steps)
        orders.append([one.name for one in found if one.layer == 1])
    post, pre = orders
    assert post == ["attention", "residual", "norm", "feed_forward", "residual", "norm"]
    assert pre == ["norm", "attention", "residual", "norm", "feed_forward", "residual"]


def test_one_layer_is_drawn_at_a_time() -> None:
    trace = compute(Settings())
    found = journey.stations(trace.steps)
    for step, layer in ((0, 0), (found[-1].last, trace.layers - 1)):
        drawn = {one.layer for one in journey.shown(found, step)}
        assert drawn == {None, layer}
    third = next(i for i, step in enumerate(trace.steps) if step.layer == 3)
    assert {one.layer for one in journey.shown(found, third)} == {None, 3}


@pytest.mark.parametrize("name", journey.NAMES)
def test_the_tracer_starts_at_a_named_station(name: str) -> None:
    lab = ShapeTracer(station=name)
    step = lab.shown().steps[lab.settings["step"]]
    found = journey.stations(lab.shown().steps)
    here = next(one for one in found if one.first == lab.settings["step"])
    assert here.name == name
    assert step.layer in (None, 0)


def test_a_station_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="choose one of tokens, embedding, positions, attention"):
        ShapeTracer(station="decoder")
    with pytest.raises(ValueError, match="choose one of"):
        ShapeTracer(station=3)
