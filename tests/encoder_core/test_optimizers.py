"""Optimizers and schedules by name or by function, with their state in the checkpoint by name."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from torch import nn

from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.training.config import History
from encoder_core.training.loop import fit
from encoder_core.training.optimizers import (
    MuonWithAdamW,
    hidden_matrices,
    make_adamw,
    make_muon,
    make_optimizer,
)
from encoder_core.training.schedule import learning_rate, parameter_groups, scheduled_rate
from tests.close import assert_close
from tests.encoder_core.tagger import DATA, assert_same, loss, make

SETTINGS: dict[str, Any] = {
    "steps": 12, "batch_size": 5, "learning_rate": 1e-2, "log_every": 1, "device": "cpu",
    "progress": False,
}  # fmt: skip
needs_muon = pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")


def train(model: nn.Module, **options: Any) -> History:
    return fit(model, DATA, loss, **{**SETTINGS, **options})


def sgd(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, momentum=0.9)


def nadam(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    return torch.optim.NAdam(groups)


def adafactor(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    return torch.optim.Adafactor(groups)


@pytest.mark.parametrize(
    "optimizer", ["adamw", pytest.param("muon", marks=needs_muon), sgd, nadam, adafactor]
)
def test_a_resumed_training_gives_the_same_weights_with_any_optimizer(
    tmp_path: Path, optimizer: Any
) -> None:
    path, whole, resumed = tmp_path / "run", make(), make()
    expected = train(whole, optimizer=optimizer)
    train(make(), optimizer=optimizer, checkpoint=path, callback=lambda record: record.step == 5)
    assert train(resumed, optimizer=optimizer, checkpoint=path).records == expected.records
    assert_same(resumed, whole)


def test_a_function_gets_the_groups_and_the_schedules_rates() -> None:
    ours, theirs = make(), make()
    train(ours, optimizer=sgd, warmup=3, clip=None, schedule="cosine", weight_decay=0.3)
    optimizer, rates = sgd(parameter_groups(theirs, 0.3)), []

    def step_by_hand(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        optimizer.register_step_pre_hook(lambda *_: rates.append(optimizer.param_groups[1]["lr"]))
        return optimizer

    train(theirs, optimizer=step_by_hand, warmup=3, clip=None, schedule="cosine")
    assert_same(ours, theirs)
    assert rates == [scheduled_rate("cosine", step, 3, 12, 1e-2) for step in range(12)]


@needs_muon
def test_muon_updates_matrices_of_layers_as_torch_does_and_the_rest_is_adamw() -> None:
    ours, theirs = make(), make()
    optimizer = make_muon(ours, 0.1, 1e-2)
    hidden = [
        getattr(theirs.encoder.layers[i].get_submodule(part), name)
        for i in range(2)
        for part, name in [
            ("self_attn", "in_proj_weight"), ("self_attn.out_proj", "weight"),
            ("linear1", "weight"), ("linear2", "weight"),
        ]
    ]  # fmt: skip
    rest = [p for p in theirs.parameters() if not any(p is matrix for matrix in hidden)]
    muon = torch.optim.Muon(hidden, lr=1e-2, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(
        [
            {"params": [p for p in rest if p.dim() > 1], "weight_decay": 0.1},
            {"params": [p for p in rest if p.dim() == 1], "weight_decay": 0.0},
        ],
        lr=1e-2, fused=True,
    )  # fmt: skip
    for _ in range(3):
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            mine.grad = torch.randn_like(mine)
            other.grad = mine.grad.clone()
        for one in (optimizer, muon, adamw):
            one.step()
    assert_same(ours, theirs)
    assert {id(p) for p in hidden_matrices(theirs)} == {id(p) for p in hidden}


@needs_muon
def test_muon_learns() -> None:
    losses = train(make(), optimizer="muon", steps=150).losses
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])


def test_tables_and_frozen_matrices_are_no_hidden_matrices() -> None:
    class Biased(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relative_bias = nn.Parameter(torch.zeros(2, 5))
            self.position = nn.Embedding(4, 2)
            self.map = nn.Linear(2, 2)
            self.frozen = nn.Linear(2, 2).requires_grad_(False)

    model = nn.ModuleDict({"layers": nn.ModuleList([Biased()]), "head": nn.Linear(2, 2)})
    (only,) = hidden_matrices(model)
    assert only is model["layers"][0].map.weight


@needs_muon
def test_a_model_without_layers_has_nothing_for_muon() -> None:
    with pytest.raises(ValueError, match=r"Linear has no trained matrices.*optimizer='adamw'"):
        make_optimizer("muon", nn.Linear(2, 2), 0.0, 1.0)


def test_a_torch_without_muon_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.optim, "Muon", raising=False)
    with pytest.raises(ImportError, match=r"needs torch\.optim\.Muon.*Update torch to 2\.9"):
        train(make(), optimizer="muon")


@needs_muon
def test_muons_state_stands_by_name_and_another_optimizer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(make(), optimizer="muon", checkpoint=path, callback=lambda record: record.step == 5)
    with safe_open(path, "pt") as file:
        names = set(file.keys())
    assert "optimizer.encoder.layers.1.linear1.weight.momentum_buffer" in names
    assert "optimizer.encoder.layers.1.linear1.bias.exp_avg_sq" in names
    assert "optimizer.embedding.weight.exp_avg" in names
    with pytest.raises(CheckpointError, match="optimizer was muon and is adamw"):
        train(make(), checkpoint=path)
    model = make()
    frozen = model.encoder.layers[0].linear1.weight.requires_grad_(False)
    assert not frozen.requires_grad
    with pytest.raises(CheckpointError, match=r"linear1\.weight was trained and is frozen"):
        train(model, optimizer="muon", checkpoint=path)


def test_adamw_is_fused_and_a_checkpoint_of_the_unfused_one_goes_on(tmp_path: Path) -> None:
    path, whole, resumed = tmp_path / "run", make().double(), make().double()
    assert make_adamw(parameter_groups(whole, 0.0), 1.0).defaults["fused"]

    def unfused(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        return torch.optim.AdamW(groups)

    train(whole)
    half = make().double()
    train(half, optimizer=unfused, checkpoint=path, callback=lambda record: record.step == 5)
    with safe_open(path, "pt") as file:
        told = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    facts = json.loads(told["facts"])
    facts["settings"]["optimizer"] = "adamw"  # as it was written before AdamW was fused
    from safetensors.torch import save_file

    save_file(tensors, path, {**told, "facts": json.dumps(facts)})
    assert train(resumed, checkpoint=path).resumed_at == 5
    # The softmax does not see the keys' bias: its gradient is rounding alone, which AdamW divides by
    # its eps. Each of 12 steps moves by that at most.
    keys, ours, expected = slice(8, 16), resumed.state_dict(), whole.state_dict()
    for layer in range(2):
        name = f"encoder.layers.{layer}.self_attn.in_proj_bias"
        assert_close(ours[name][keys], expected[name][keys], scale=12 * 1e-2 / 1e-8)
        for biases in (ours[name], expected[name]):
            biases[keys] = 0
    assert_close(ours, expected)


def test_what_is_no_optimizer_and_no_schedule_is_refused_with_a_sentence() -> None:
    for options, kind, told in [
        ({"optimizer": "adam"}, ValueError, "one of adamw, muon, or a function"),
        ({"optimizer": 3}, TypeError, "a name or a function"),
        ({"optimizer": lambda groups: None}, TypeError, "must return a torch.optim.Optimizer, got"),
        ({"schedule": "exponential"}, ValueError, "one of linear, cosine, constant"),
        ({"schedule": 3}, TypeError, "a name or a function"),
        ({"schedule": lambda step, total: -1.0}, ValueError, "factor -1.0 at step 0 of 12"),
        ({"schedule": lambda step, total: math.nan}, ValueError, "factor nan"),
        ({"warmup": -1}, ValueError, "warmup must not be negative"),
    ]:  # fmt: skip
        model = make()
        with pytest.raises(kind, match=told):
            train(model, **options)  # type: ignore[arg-type]
        assert_same(model, make())


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
def test_muons_optimizer_takes_no_closure() -> None:
    optimizer = make_muon(make(), 0.0, 1.0)
    assert isinstance(optimizer, MuonWithAdamW)
    with pytest.raises(ValueError, match="takes no closure"):
        optimizer.step(lambda: 0.0)


@given(warmup=st.integers(0, 20), extra=st.integers(1, 50), step=st.integers(0, 80))
def test_schedules_rise_alike_and_fall_as_named(warmup: int, extra: int, step: int) -> None:
    total = warmup + extra
    linear, cosine, constant, half = (
        scheduled_rate(schedule, step, warmup, total, 3.0)
        for schedule in ("linear", "cosine", "constant", lambda s, n: 0.5 ** (s / n))
    )
    assert linear == learning_rate(step, warmup, total, 3.0)
    if step <= warmup:
        assert linear == cosine == constant == half
        return
    done = min(1.0, (step - warmup) / extra)
    assert constant == 3.0
    assert cosine == pytest.approx(1.5 * (1 + math.cos(math.pi * done)))
    assert half == pytest.approx(3 * 0.5 ** ((step - warmup) / extra))


def test_the_cosine_equals_that_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.3)
    schedule = transformers.get_cosine_schedule_with_warmup(optimizer, 4, 11)
    for step in range(12):
        rate = scheduled_rate("cosine", step, 4, 11, 0.3)
        assert schedule.get_last_lr()[0] == pytest.approx(rate, abs=1e-12)
        optimizer.step(), schedule.step()
