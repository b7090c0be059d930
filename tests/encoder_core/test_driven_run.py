"""A training that its caller drives: update by update, with changes of rate, pauses and cheap saves."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.training.batches import Batches, batch_indices
from encoder_core.training.config import Control, History, Record
from encoder_core.training.gradients import clip_gradients, layers_of
from encoder_core.training.loop import fit, start_training
from encoder_core.training.run import Run
from tests.encoder_core.tagger import DATA, assert_same, loss, make

SETTINGS: dict[str, Any] = {
    "steps": 14, "batch_size": 5, "learning_rate": 1e-2, "warmup": 3, "log_every": 2,
    "device": "cpu", "progress": False,
}  # fmt: skip


def train(model: nn.Module, **options: Any) -> History:
    return fit(model, DATA, loss, **{**SETTINGS, **options})


def drive(
    model: nn.Module, between: Callable[[Run], None] = lambda run: None, **options: Any
) -> Run:
    with start_training(model, DATA, loss, **{**SETTINGS, **options}) as run:
        while not run.finished:
            run.update()
            run.report()
            between(run)
    return run


def differ(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return any(not torch.equal(a, b) for a, b in pairs)


def test_a_driven_run_is_the_fit() -> None:
    fitted, driven = make(), make()
    history = train(fitted)
    run = drive(driven, lambda run: driven.eval() and driven.train())
    assert run.history.records == history.records
    assert (run.step, run.total, run.finished, run.complete) == (14, 14, True, True)
    assert_same(driven, fitted)


def test_more_updates_than_there_are_is_an_error() -> None:
    with start_training(make(), DATA, loss, **SETTINGS) as run:
        for _ in range(14):
            run.update()
        with pytest.raises(RuntimeError, match="All 14 updates of this training are made"):
            run.update()
    assert run.step == 14


def test_a_change_of_rate_is_the_planned_one_and_scales_the_schedule() -> None:
    def between(run: Run) -> None:
        if run.step == 5:
            run.change_rate(3e-2)
        if run.step == 9:
            run.change_rate(2e-3)

    driven, planned, plain = make(), make(), make()
    run = drive(driven, between, log_every=1)
    changes = ((5, 3e-2), (9, 2e-3))
    assert run.history.records == train(planned, log_every=1, rate_changes=changes).records
    assert_same(driven, planned)
    before = [record.learning_rate for record in train(plain, log_every=1).records]
    factors = [a.learning_rate / b for a, b in zip(run.history.records, before, strict=True) if b]
    assert factors == pytest.approx([1.0] * 4 + [3.0] * 4 + [0.2] * 5)  # the first rate is 0
    assert differ(driven, plain)


@pytest.mark.parametrize("stop", [4, 5, 6, 12])
def test_a_resumed_run_keeps_its_changes(tmp_path: Path, stop: int) -> None:
    def between(run: Run) -> None:
        if run.step == 5:
            run.change_rate(3e-2)

    whole, broken, resumed = make(), make(), make()
    drive(whole, between)
    path = tmp_path / "run"
    with start_training(broken, DATA, loss, checkpoint=path, **SETTINGS) as run:
        while run.step < stop:
            run.update()
            run.report()
            between(run)
    drive(resumed, between if stop < 5 else lambda run: None, checkpoint=path)
    assert_same(resumed, whole)


def test_a_change_after_the_last_save_is_saved_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with start_training(make(), DATA, loss, checkpoint=path, **SETTINGS) as run:
        run.update()
        run.report()
        run.save(durable=False)
        run.change_rate(0.5)
    with start_training(make(), DATA, loss, checkpoint=path, **SETTINGS) as run:
        assert run.rates.peak_at(run.step) == 0.5


def test_changes_that_were_planned_or_made_before_must_agree_and_later_ones_may_differ(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run"
    train(make(), checkpoint=path, rate_changes=((2, 0.1),), callback=lambda r: r.step == 6)
    with pytest.raises(CheckpointError, match=r"rate_changes was \[\(2, 0\.1\)\] and is \[\]"):
        train(make(), checkpoint=path)
    run = drive(make(), checkpoint=path, rate_changes=((2, 0.1), (8, 0.2)))
    assert run.rates.peak_at(8) == 0.2
    for changes, told in [
        (((-1, 0.1),), "steps count from 0"), (((1, -0.1),), "at least 0, got -0.1"),
        (((1, math.inf),), "finite number"), (((1.5, 0.1),), "pairs of a step and a rate"),
        (((1,),), "pairs of a step and a rate"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=told):
            train(make(), rate_changes=changes)
    with (
        start_training(make(), DATA, loss, **SETTINGS) as run,
        pytest.raises(ValueError, match="nan"),
    ):
        run.change_rate(math.nan)


def test_a_callback_changes_the_rate_pauses_and_stops(tmp_path: Path) -> None:
    path = tmp_path / "run"

    def callback(record: Record) -> Control | None:
        if record.step == 4:
            return Control(learning_rate=3e-2)
        return Control(pause=record.step == 8, stop=record.step == 12)

    planned, model = make(), make()
    train(planned, rate_changes=((4, 3e-2),), callback=lambda record: record.step == 12)
    history = train(model, checkpoint=path, callback=callback)
    assert history.paused
    assert history.records[-1].step == 8
    history = train(make(), checkpoint=path, callback=callback)  # a new kernel's model
    assert not history.paused
    assert history.resumed_at == 8
    assert history.records[-1].step == 12
    with safe_open(path, "pt") as file:
        assert torch.equal(file.get_tensor("model.output.weight"), planned.output.weight)


def test_a_driven_run_is_paused_until_its_next_update() -> None:
    seen = []

    def between(run: Run) -> None:
        seen.append(run.paused)

    drive(make(), between, callback=lambda record: Control(pause=record.step == 4))
    assert seen == [step == 4 for step in range(1, 15)]


def test_an_interrupt_ends_a_driven_run_after_its_update_and_saves(tmp_path: Path) -> None:
    path = tmp_path / "run"

    def between(run: Run) -> None:
        if run.step == 5:
            signal.raise_signal(signal.SIGINT)

    run = drive(make(), between, checkpoint=path)
    assert (run.step, run.finished, run.complete) == (5, True, False)
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["facts"])["step"] == 5


def test_an_error_between_updates_saves_what_was_made(tmp_path: Path) -> None:
    path, whole, resumed = tmp_path / "run", make(), make()

    def between(run: Run) -> None:
        if run.step == 7:
            raise LookupError("the picture")

    with pytest.raises(LookupError):
        drive(make(), between, checkpoint=path)
    assert train(resumed, checkpoint=path).resumed_at == 7
    train(whole)
    assert_same(resumed, whole)


def test_seconds_are_counted_over_resumptions(tmp_path: Path) -> None:
    path = tmp_path / "run"
    first = train(make(), checkpoint=path, callback=lambda record: record.step == 8)
    second = train(make(), checkpoint=path)
    seconds = [record.seconds for record in second.records]
    assert seconds == sorted(seconds)
    assert seconds[: len(first.records)] == [record.seconds for record in first.records]
    assert 0 < seconds[0] < seconds[-1]


def test_a_checkpoint_of_before_seconds_and_layer_norms_is_read(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path, whole, resumed = tmp_path / "run", make(), make()
    expected = train(whole)
    train(make(), checkpoint=path, callback=lambda record: record.step == 8)
    with safe_open(path, "pt") as file:
        told = dict(file.metadata())
    facts = json.loads(told["facts"])
    for name in ("seconds", "changes"):
        del facts[name]
    for name in ("schedule", "optimizer", "by_length", "rate_changes"):
        del facts["settings"][name]
    for record in facts["records"]:
        del record["seconds"], record["layer_norms"]
    save_file(load_file(path), path, {**told, "facts": json.dumps(facts)})
    assert train(resumed, checkpoint=path).records == expected.records
    assert_same(resumed, whole)


# A budget of seconds ---------------------------------------------------------------------------


def test_seconds_end_it_at_the_first_update_after_them(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr("encoder_core.training.run.time.perf_counter", lambda: float(next(clock)))
    run = drive(make(), steps=None, seconds=9.5, log_every=1, schedule="linear")  # one a update
    assert [record.seconds for record in run.history.records] == list(range(1, 11))
    rates = [record.learning_rate for record in run.history.records]
    assert max(rates) <= 1e-2
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] < 0.4 * max(rates)
    assert run.step == run.total == 10
    both = drive(make(), seconds=9.5, steps=4)
    assert both.step == 4


def test_seconds_with_an_evaluation_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr("encoder_core.training.run.time.perf_counter", lambda: float(next(clock)))
    history = train(
        make(), steps=None, seconds=5, evaluate=lambda model: {"held out": 1.0}, log_every=100
    )
    assert [(record.step, record.metrics) for record in history.records] == [(5, {"held out": 1.0})]


def test_budgets_are_checked() -> None:
    for options in ({"steps": None}, {"epochs": 3}, {"epochs": 3, "seconds": 1.0}):
        with pytest.raises(ValueError, match="either steps or epochs, or seconds"):
            train(make(), **options)
    for seconds in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="seconds must be positive"):
            train(make(), seconds=seconds)


# Norms by layer --------------------------------------------------------------------------------


def test_layer_norms_are_those_of_each_layers_gradient() -> None:
    model = make()
    loss(model, torch.stack(DATA)).backward()
    layers = layers_of(model)
    assert list(dict.fromkeys(layers.values())) == [
        "embedding", "encoder.layers.0", "encoder.layers.1", "output",
    ]  # fmt: skip
    expected = {
        name: torch.cat([p.grad.flatten() for p in part.parameters()]).norm().item()  # type: ignore[union-attr]
        for name, part in [
            ("embedding", model.embedding), ("encoder.layers.0", model.encoder.layers[0]),
            ("encoder.layers.1", model.encoder.layers[1]), ("output", model.output),
        ]
    }  # fmt: skip
    whole = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()  # type: ignore[union-attr]
    norm, norms = clip_gradients(model, 0.01, layers)
    assert norms == pytest.approx(expected, rel=1e-5)
    assert norm == pytest.approx(whole, rel=1e-5)
    assert math.hypot(*norms.values()) == pytest.approx(norm, rel=1e-5)
    assert clip_gradients(model, None)[0] == pytest.approx(0.01, rel=1e-3)


def test_records_have_layer_norms_on_demand(tmp_path: Path) -> None:
    path, model = tmp_path / "run", make()
    plain = make()
    history = train(model, layer_norms=True, checkpoint=path)
    assert_same(model, plain) if train(plain).losses == history.losses else pytest.fail("others")
    for record in history.records:
        assert record.layer_norms.keys() == {
            "embedding", "encoder.layers.0", "encoder.layers.1", "output",
        }  # fmt: skip
        assert math.hypot(*record.layer_norms.values()) == pytest.approx(record.gradient_norm)
    assert train(make(), checkpoint=path).records == history.records


def test_a_parameter_outside_of_all_layers_is_one_by_itself() -> None:
    model = nn.Module()
    model.scale = nn.Parameter(torch.ones(2))
    model.layers = nn.ModuleList([nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 1), nn.ReLU())])
    assert layers_of(model) == {
        "scale": "scale", "layers.0.weight": "layers.0", "layers.0.bias": "layers.0",
        "layers.1.0.weight": "layers.1", "layers.1.0.bias": "layers.1",
    }  # fmt: skip
    assert clip_gradients(model, 1.0, layers_of(model)) == (0.0, {})


# Batches ---------------------------------------------------------------------------------------


def test_batches_are_those_of_batch_indices_whatever_the_order_of_steps() -> None:
    batches = Batches(23, 5, seed=4)
    for step in (0, 7, 6, 31, 0, 5):
        assert batches(step) == batch_indices(23, 5, step, seed=4)


@pytest.mark.parametrize("examples", [1, 7, 1009])
def test_batches_by_length_hold_each_example_once_with_little_padding(examples: int) -> None:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(3, 60, (examples,), generator=generator).tolist()
    batches, steps = Batches(examples, 8, seed=1, lengths=lengths), -(-examples // 8)
    epochs = [[batches(epoch * steps + i) for i in range(steps)] for epoch in range(2)]
    for epoch in epochs:
        assert sorted(i for batch in epoch for i in batch) == list(range(examples))
        padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in epoch)
        if examples > 100:
            assert padded < 1.1 * sum(lengths)
            longest = [max(lengths[i] for i in batch) for batch in epoch]
            assert longest != sorted(longest)  # short and long batches are mixed
    assert steps == 1 or epochs[0] != epochs[1]
    again = Batches(examples, 8, seed=1, lengths=lengths)
    assert again(steps) == epochs[1][0]
    with pytest.raises(ValueError, match="Got 2 lengths for 3 examples"):
        Batches(3, 2, seed=0, lengths=[1, 2])


def test_fit_by_length_resumes_to_the_same_weights_and_needs_the_same_choice(
    tmp_path: Path,
) -> None:
    texts = [ids[: 2 + i % 5] for i, ids in enumerate(DATA)]

    def collate(examples: list[Tensor]) -> Tensor:
        return nn.utils.rnn.pad_sequence(examples, batch_first=True)

    path, whole, resumed = tmp_path / "run", make(), make()
    options: dict[str, Any] = {**SETTINGS, "collate": collate}
    fit(whole, texts, loss, length=len, **options)
    fit(make(), texts, loss, length=len, checkpoint=path, callback=lambda r: r.step == 6, **options)
    with pytest.raises(CheckpointError, match="by_length was True and is False"):
        fit(make(), texts, loss, checkpoint=path, **options)
    fit(resumed, texts, loss, length=len, checkpoint=path, **options)
    assert_same(resumed, whole)


# Further than before ---------------------------------------------------------------------------


def test_a_finished_training_goes_on_with_more_steps(tmp_path: Path) -> None:
    path, whole, further = tmp_path / "run", make(), make()
    options = {"schedule": "constant", "log_every": 1}
    train(further, checkpoint=path, **options)
    history = train(further, checkpoint=path, steps=20, **options)
    assert history.resumed_at == 14
    assert history.records == train(whole, steps=20, **options).records
    assert_same(further, whole)  # with a constant rate it is the longer training
    train(make(), checkpoint=path, steps=20, **options)
    with pytest.raises(CheckpointError, match="steps was 20 and is 14"):
        train(make(), checkpoint=path, **options)


def test_further_steps_have_the_rates_of_the_new_total(tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(make(), checkpoint=path, log_every=1)
    history = train(make(), checkpoint=path, steps=20, log_every=1)
    rates = [record.learning_rate for record in history.records]
    assert rates[13] == pytest.approx(1e-2 * 1 / 11)
    assert rates[14:] == pytest.approx([1e-2 * (20 - step) / 17 for step in range(14, 20)])


def test_an_unfinished_training_keeps_its_steps(tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(make(), checkpoint=path, callback=lambda record: record.step == 8)
    with pytest.raises(CheckpointError, match="steps was 14 and is 20"):
        train(make(), checkpoint=path, steps=20)
    assert train(make(), checkpoint=path).resumed_at == 8
