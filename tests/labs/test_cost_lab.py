"""The cost lab: it shows what is counted, measures what it is asked to, and refuses what would take too long."""

from __future__ import annotations

import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from course import labs
from course.labs.cost import measuring, widget
from course.labs.cost.compute import SQUARE, compute, moment
from course.labs.cost.kinds import BLOCK, FUNCTIONS, in_blocks
from course.labs.cost.machines import free_memory, machine_of
from course.labs.cost.measuring import Measured, Measuring, build, prepared, refusal
from course.labs.cost.settings import KINDS, PRESETS, Settings, check_settings, steps
from course.labs.cost.widget import CostLab
from course.system.outputs import with_page
from encoder_core.attention import scaled_dot_product_attention
from encoder_core.inspect.costs import encoder_memory, layer_costs
from encoder_core.inspect.machine import Machine
from tests.close import assert_close
from tests.labs.front import Front
from tests.typed import fits_a_notebook

MACHINE = Machine(peak=50e9, bandwidth=5e9, name="A processor")
BOTH = {"float32": MACHINE, "bfloat16": Machine(200e9, 5e9, "A processor, bfloat16")}
TINY: dict[str, Any] = {
    "batch": 2,
    "length": 8,
    "d_model": 8,
    "heads": 2,
    "dim_feedforward": 16,
    "layers": 2,
}


@pytest.fixture
def lab() -> Iterator[CostLab]:
    made = labs.CostLab(BOTH)
    yield made
    made.close()


# Predicted


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_shown_is_what_is_counted(kind: Any, training: bool) -> None:
    asked = Settings(attention=kind, training=training, precision="bfloat16")
    shown = compute(asked, MACHINE)
    costs = layer_costs(8, 128, 384, 12, 1536, 2, kind, training=training)
    assert list(shown.costs) == costs
    assert shown.operations == 6 * sum(cost.operations for cost in costs)
    assert shown.memory == encoder_memory(8, 128, 384, 12, 1536, 6, 2, kind, training=training)
    times = [max(cost.operations / 50e9, cost.bytes / 5e9) for cost in costs]
    assert shown.seconds == pytest.approx(6 * sum(times))
    here = next(each for each in shown.curve if each.length == 128)
    assert here.total == pytest.approx(shown.seconds)
    assert {cost.part for cost in costs if cost.square} == {
        cost.part for cost in costs if cost.part in SQUARE
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_crossover_is_the_first_length_at_which_pairs_take_longer(kind: Any) -> None:
    asked = Settings(attention=kind)
    shown = compute(asked, MACHINE)
    assert shown.crossover is not None
    before, at = (
        moment(asked, length, MACHINE) for length in (shown.crossover - 1, shown.crossover)
    )
    assert before.square <= before.rest
    assert at.square > at.rest
    wide = replace(asked, d_model=8192, heads=1, dim_feedforward=65_536)
    assert compute(wide, MACHINE).crossover is None


def test_panels_show_the_numbers(lab: CostLab) -> None:
    front = Front(lab).ready()
    shown = lab.shown()
    numbers = front.floats("parts", 4)  # GFLOP, ms, ms, MB
    assert [column["label"] for column in front.panels["parts"]["columns"]] == [
        "GFLOP",
        "compute ms",
        "move ms",
        "MB",
    ]
    for row, cost in zip(numbers, shown.costs, strict=False):
        done, moved = cost.operations, cost.bytes
        expected = [done / 1e9, done / 5e7, moved / 5e6, moved / 1e6]
        np.testing.assert_allclose(row, expected, rtol=1e-6)
    np.testing.assert_allclose(numbers[-1], numbers[:-1].sum(axis=0), rtol=1e-5)
    memory = front.floats("memory", 1)[:, 0]
    assert front.panels["memory"]["row_labels"] == ["weights", "activations", "scores among them"]
    np.testing.assert_allclose(memory[0] + memory[1], memory[3], rtol=1e-6)
    roof = [one["name"] for one in front.panels["roofline"]["series"]]
    assert roof == ["the roof", "waits for memory", "waits for the processor"]
    assert "23.1 GFLOP" in front.last["summary"]
    assert "Waiting for memory" in front.last["summary"]
    front.move(training=True)
    assert "gradients and optimizer" in front.panels["memory"]["row_labels"]


def test_a_part_is_chosen_in_the_table_and_on_the_roof(lab: CostLab) -> None:
    front = Front(lab).ready()
    front.move(at_part="softmax")
    assert front.panels["parts"]["chosen"] == 2
    series, point = front.panels["roofline"]["chosen"]
    assert front.panels["roofline"]["series"][series]["labels"][point] == "softmax"
    front.move(part=5)
    assert front.last["values"]["at_part"] == "feed-forward 1"
    front.move(attention="fused", part=99)
    assert (
        front.panels["parts"]["row_labels"][front.panels["parts"]["chosen"]]
        == "residuals and norms"
    )
    front.move(at_part="nothing")
    assert front.panels["parts"]["chosen"] == 0


def test_a_length_comes_from_the_curve_or_from_the_control(lab: CostLab) -> None:
    front = Front(lab).ready()
    front.move(length="1,024")
    assert front.last["values"]["length"] == 1024
    front.move(length=100)
    series, point = front.panels["curve"]["chosen"]
    assert front.panels["curve"]["series"][series]["labels"][point] == "100"
    (mark,) = front.panels["curve"]["marks"]
    assert mark["at"] == lab.shown().crossover
    assert "whole number" in front.move(length="many")["notice"]


def test_presets_set_sizes_and_are_recognised(lab: CostLab) -> None:
    front = Front(lab).ready()
    assert front.last["values"]["preset"] == "minilm"
    for name, sizes in PRESETS.items():
        front.move(preset=name)
        assert {key: front.last["values"][key] for key in sizes} == sizes
        assert front.last["values"]["preset"] == name
    assert "ModernBERT's gated network" in front.last["summary"]
    front.move(layers=5)
    assert front.last["values"]["preset"] == ""
    front.move(long=True)
    assert (front.last["values"]["batch"], front.last["values"]["length"]) == (1, 8192)
    front.move(preset="unknown")
    assert front.last["values"]["layers"] == 5


def test_a_lab_starts_with_a_preset() -> None:
    lab = labs.CostLab(BOTH, preset="bert-base", layers=2)
    assert (lab.settings["d_model"], lab.settings["layers"]) == (768, 2)
    with pytest.raises(ValueError, match="There is no preset 'gpt'; there are toy, minilm"):
        labs.CostLab(BOTH, preset="gpt")


def test_modernberts_gated_network_has_as_many_weights_as_its_preset() -> None:
    assert 2 * 768 * PRESETS["modernbert-base"]["dim_feedforward"] == 3 * 768 * 1152


@pytest.mark.parametrize(
    ("moves", "said"),
    [
        ({"heads": 7}, "d_model = 384 is not divisible by 7 heads"),
        ({"length": 0}, "The length must be a whole number from 1 to"),
        ({"batch": None}, "The batch must be a whole number"),
        ({"precision": "float8"}, "The precision is one of float32"),
        ({"precision": "float16"}, "float16 is for a GPU"),
        ({"attention": "flash"}, "The attention is one of explicit"),
        ({"device": "tpu"}, "The device is one of cpu"),
        ({"training": 2}, "training must be True or False"),
    ],
)
def test_what_is_invalid_is_told_at_its_control(
    lab: CostLab, moves: dict[str, Any], said: str
) -> None:
    front = Front(lab).ready()
    before = lab.shown()
    answer = front.move(**moves)
    assert said in answer["notice"]
    assert set(answer["refused"]) == set(moves)
    assert lab.shown() is before
    with pytest.raises(ValueError, match=said[:20]):
        labs.CostLab(BOTH, **moves)


def test_steps_lead_to_valid_settings(lab: CostLab) -> None:
    front = Front(lab).ready()
    allowed = front.last["allowed"]
    assert allowed["length"][:8] == [1, 2, 4, 8, 16, 32, 64, 128]
    for name in ("heads", "d_model", "dim_feedforward", "batch", "length"):
        assert getattr(Settings(), name) in allowed[name]
    for width, heads in ((384, 12), (4, 4), (8192, 128), (770, 7)):
        start = Settings(d_model=width, heads=heads)
        for name, values in steps(start).items():
            for value in values:
                change: dict[str, Any] = {name: value}
                check_settings(replace(start, **change))


def test_every_size_gives_a_picture(lab: CostLab) -> None:
    front = Front(lab).ready()
    ends: list[dict[str, Any]] = [
        {"batch": 1, "length": 1, "d_model": 4, "heads": 4, "dim_feedforward": 1, "layers": 1},
        {"batch": 4096, "length": 65_536, "d_model": 8192, "heads": 128, "dim_feedforward": 65_536, "layers": 128},
    ]  # fmt: skip
    for sizes in ends:
        for kind in KINDS:
            front.move(**sizes, attention=kind, training=True)
            assert front.last["notice"] == ""
            for panel in ("parts", "memory"):
                assert np.isfinite(front.floats(panel, 1)).all()
            fits_a_notebook(front.last["summary"])
            still = lab.still()
            ElementTree.fromstring(still["image/svg+xml"])
            for page in with_page(still).values():
                fits_a_notebook(page)


# Measured


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_attention_gives_the_same(kind: Any) -> None:
    torch.manual_seed(0)
    shape = (2, 3, 2 * BLOCK + 5, 8)  # the last block is shorter
    query, key, value = (torch.randn(shape, dtype=torch.float64) for _ in range(3))
    expected = scaled_dot_product_attention(query, key, value)[0]
    result = FUNCTIONS[kind](query, key, value)
    assert_close(result if isinstance(result, torch.Tensor) else result[0], expected)


def test_the_learner_s_own_blocks_are_measured() -> None:
    called = list[int]()

    def mine(
        query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, block: int
    ) -> torch.Tensor:
        called.append(block)
        return scaled_dot_product_attention(query, key, value)[0]

    lab = CostLab(MACHINE, blockwise=mine, preset="toy", length=32, batch=1, attention="blockwise")
    assert lab.measure().layer_seconds > 0
    assert set(called) == {BLOCK}
    lab.close()


def test_blocks_keep_what_the_count_says_they_keep() -> None:
    from encoder_core.inspect.costs import saved_numbers

    rows, saved = 2 * 2 * 300, list[int]()
    x = torch.randn(2, 2, 300, 4, requires_grad=True)
    seen = set()

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        at = tensor.untyped_storage().data_ptr()
        if at not in seen:
            saved.append(tensor.untyped_storage().nbytes() // 4)
            kept.append(tensor)
        seen.add(at)
        return tensor

    kept: list[torch.Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        in_blocks(x, x, x)
    squares = sum(count for count in saved if count >= rows * 44) / (rows * 300)
    assert squares == pytest.approx(2, rel=0.01)  # scores and weights of every block
    size = (2, 300, 8, 2, 16)
    more = saved_numbers(*size, "blockwise") - saved_numbers(*size, "fused")
    assert more >= 2 * rows * 300 - rows


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_timed(kind: Any, training: bool) -> None:
    lab = labs.CostLab(BOTH, attention=kind, training=training, **TINY)
    found = lab.measure()
    assert found.layer_seconds > 0
    assert found.runs >= measuring.FEWEST
    assert found.settings == Settings(**{**TINY, "layers": 1}, attention=kind, training=training)
    assert lab.measurements == [found]
    assert "Measured: " in lab.still()["text/plain"]
    assert "(a layer's median of" in lab.still()["text/plain"]
    lab.close()


def test_a_layer_runs_without_touching_random_numbers_or_keeping_gradients() -> None:
    before = torch.random.get_rng_state()
    asked = Settings(**TINY, training=True)
    prepared(asked)()
    layer = build(asked)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.isfinite(parameter).all() for parameter in layer.parameters())
    assert all(parameter.grad is None for parameter in layer.parameters())
    x = torch.randn(2, 8, 8)
    assert torch.isfinite(layer(x)).all()


def test_what_was_measured_is_shown_and_stays_on_the_curve(lab: CostLab) -> None:
    front = Front(lab).ready()
    front.move(**TINY)
    assert front.panels["measure"]["recording"] == ""
    lab.measure()
    assert front.panels["measure"]["recording"].startswith("Measured: ")
    assert "of the peak" in front.last["summary"]
    assert front.panels["roofline"]["series"][-1]["name"] == "the layer, measured"
    front.move(length=16)
    assert front.panels["measure"]["recording"] == ""
    measured = front.panels["curve"]["series"][-1]
    assert (measured["name"], measured["labels"]) == ("measured", ["8"])
    lab.measure()
    assert front.panels["curve"]["series"][-1]["labels"] == ["8", "16"]
    numbers = np.frombuffer(front.data["curve"]["numbers"], "<f4")
    assert (numbers[-2:] > 0).all()
    front.move(layers=4)  # layers are alike: the same measurement, times 4
    assert front.panels["measure"]["recording"].startswith("Measured: ")
    front.move(attention="fused")  # something else
    assert front.panels["curve"]["series"][-1]["name"] == "everything else"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Runs that wait until they are let go."""
    gate = threading.Event()
    monkeypatch.setattr(measuring, "prepared", lambda *_: lambda: gate.wait(60))
    yield gate.set
    gate.set()


def test_the_lab_stays_live_while_it_measures(lab: CostLab, held: Callable[[], None]) -> None:
    front = Front(lab).ready()
    front.move(**TINY)
    front.move(measure="start")
    button = front.panels["measure"]["buttons"][0]
    assert (button["label"], button["sends"]) == ("Stop measuring", "stop")
    front.move(length=32)
    assert front.last["values"]["length"] == 32
    assert "settings of when it was started" in front.panels["measure"]["runs"][0]["words"]
    running = lab._measuring
    assert running is not None
    held()
    running.wait()
    assert front.panels["measure"]["buttons"][0]["label"] == "Measure this"
    assert [each.settings.length for each in lab.measurements] == [8]


def test_a_measurement_is_stopped(lab: CostLab, held: Callable[[], None]) -> None:
    front = Front(lab).ready()
    front.move(**TINY)
    front.move(measure="start")
    running = lab._measuring
    assert running is not None
    front.move(measure="stop")
    assert front.panels["measure"]["buttons"][0]["label"] == "Measure this"
    held()
    running.wait()
    assert lab.measurements == []


def test_a_closed_lab_measures_no_more(held: Callable[[], None]) -> None:
    lab = labs.CostLab(BOTH, **TINY)
    lab.apply({"measure": "start"})
    running = lab._measuring
    assert running is not None
    lab.close()
    held()
    running.wait()
    assert lab.measurements == []


def test_a_measurement_that_fails_says_so(lab: CostLab, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(settings: Settings, own: object) -> Callable[[], None]:
        raise MemoryError("no room")

    monkeypatch.setattr(measuring, "prepared", fails)
    front = Front(lab).ready()
    front.move(**TINY)
    with pytest.raises(RuntimeError, match="failed with MemoryError: no room"):
        lab.measure()
    assert "failed with MemoryError" in front.panels["measure"]["parts"]
    assert front.panels["measure"]["buttons"][0]["label"] == "Measure this"


def test_what_would_take_too_long_is_refused_in_a_sentence(lab: CostLab) -> None:
    front = Front(lab).ready()
    front.move(length=65_536)
    button = front.panels["measure"]["buttons"][0]
    assert "would take" in button["off"]
    assert "Make the batch or the length smaller" in front.panels["measure"]["parts"]
    front.move(measure="start")
    assert lab._measuring is None
    with pytest.raises(ValueError, match="Not measured"):
        lab.measure()
    front.move(length=8)
    assert front.panels["measure"]["buttons"][0]["off"] == ""


def test_what_would_take_too_much_memory_is_refused(
    lab: CostLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widget, "free_memory", lambda device: 10_000)
    front = Front(lab).ready()
    front.move(**TINY)
    assert "more than half of the" in front.panels["measure"]["buttons"][0]["off"]
    scores = Settings(batch=1, length=4096, d_model=8, heads=8, dim_feedforward=8)
    assert "let attention be fused" in refusal(scores, 0.1, 10**9)
    assert "let attention be fused" not in refusal(replace(scores, attention="fused"), 0.1, 10**5)


def test_this_machine_is_measured_once() -> None:
    threads = torch.get_num_threads()
    made = machine_of("cpu", "float32", threads)
    assert made.peak > 0
    assert made.bandwidth > 0
    assert machine_of("cpu", "float32", threads) is made
    assert free_memory("cpu") > 0
    assert labs.CostLab(**TINY).shown().machine is made
    given = labs.CostLab(MACHINE, precision="bfloat16", **TINY)
    assert given.shown().machine is MACHINE


def test_a_share_of_a_measurement_grows_to_one() -> None:
    under_way = Measuring(Settings(), 1, lambda: None)
    assert under_way.share == 0
    under_way.times = [0.1] * measuring.MOST
    assert under_way.share == 1


# Tasks


def test_tasks_are_reached_by_what_they_ask_for() -> None:
    lab = labs.CostLab(BOTH)
    front = Front(lab).ready()

    def reached() -> set[str]:
        return {each["id"] for each in front.challenges if "why" in each}

    assert 3 <= len(lab.challenges) <= 5
    assert reached() == set()
    front.move(length=1536 - 40)
    assert "as-much" not in reached()
    front.move(length=1536)
    assert "as-much" in reached()
    front.move(length=1, batch=128)
    assert "starved" not in reached()
    front.move(batch=1)
    assert "starved" in reached()
    front.move(preset="bert-base", batch=32, length=1024, training=True)
    front.move(attention="fused")
    front.move(attention="explicit", precision="bfloat16")
    assert "fits" not in reached()
    front.move(attention="fused", training=False)
    assert "fits" not in reached()
    front.move(training=True)
    assert "fits" in reached()
    lab.close()


def test_the_task_of_measuring_asks_for_two_kinds() -> None:
    lab = labs.CostLab(BOTH, **{**TINY, "length": 512})
    front = Front(lab).ready()

    def reached() -> set[str]:
        return {each["id"] for each in front.challenges if "why" in each}

    lab.measure()
    front.move(attention="fused", batch=1)
    lab.measure()
    assert "both-kinds" not in reached()
    front.move(batch=2)
    lab.measure()
    assert "both-kinds" in reached()
    lab.close()


def test_a_measurement_compares_equal_by_what_it_found() -> None:
    one = Measured(Settings(), 0.1, 3)
    assert one == Measured(Settings(), 0.1, 3)
    assert repr(labs.CostLab(BOTH, length=512)) == "CostLab(length=512)"
